//! Whether a server that is silent is still there: it is asked with a PING, and given up when it does not answer.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tokio::time::{Instant as Clock, Sleep, sleep_until};

/// What the PINGs hold that ask a server for a sign of life.
pub(super) const QUESTION: [u8; 8] = *b"you live";

/// How long a server may be silent on a connection of HTTP/2. Traefik: `readIdleTimeout` and `pingTimeout`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Silence {
    /// Until it is asked whether it is still there.
    pub borne: Duration,
    /// Until it must have answered then.
    pub answer: Duration,
}

/// What is to be done about a silent server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Beat {
    /// It is to be asked with a PING.
    Ask,
    /// It has not answered: the connection is lost.
    Lost,
}

/// Watches one connection.
#[derive(Debug)]
pub(super) struct Pulse {
    silence: Silence,
    /// When something came last.
    heard: Instant,
    /// When a PING was sent whose answer has not come.
    asked: Option<Instant>,
    /// Never goes off too late; what comes in time lets it go off too early, and costs nothing.
    timer: Pin<Box<Sleep>>,
}

impl Pulse {
    /// Watches from now on.
    pub(super) fn new(silence: Silence) -> Self {
        let now = Clock::now();
        let timer = Box::pin(sleep_until(later(now, silence.borne)));
        Self { silence, heard: now.into_std(), asked: None, timer }
    }

    /// Something came.
    pub(super) fn heard(&mut self) {
        self.heard = Clock::now().into_std();
    }

    /// The answer to a PING came. Other frames do not stand for it, as in Go.
    pub(super) fn answered(&mut self) {
        if self.asked.take().is_some() {
            self.timer.as_mut().reset(later(self.heard.into(), self.silence.borne));
        }
    }

    /// Waits until something is to be done. All that has come must have been read before.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Beat> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let now = Clock::now();
            let due = match self.asked {
                Some(asked) => later(asked.into(), self.silence.answer),
                None => later(self.heard.into(), self.silence.borne),
            };
            if now < due {
                self.timer.as_mut().reset(due);
                continue;
            }
            if self.asked.is_some() {
                return Poll::Ready(Beat::Lost);
            }
            self.asked = Some(now.into_std());
            self.timer.as_mut().reset(later(now, self.silence.answer));
            return Poll::Ready(Beat::Ask);
        }
    }
}

/// What no clock can tell is far enough away.
fn later(start: Clock, wait: Duration) -> Clock {
    const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);
    start.checked_add(wait).unwrap_or_else(|| start + FAR)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::{advance, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pulse(borne: u32, answer: u32) -> Pulse {
        Pulse::new(Silence { borne: borne * SECOND, answer: answer * SECOND })
    }

    /// What is to be done next, and after how many seconds.
    async fn next(pulse: &mut Pulse) -> (Beat, u64) {
        let start = Clock::now();
        let beat = poll_fn(|cx| pulse.poll(cx)).await;
        (beat, start.elapsed().as_secs())
    }

    /// Nothing is to be done for so many seconds.
    async fn rests(pulse: &mut Pulse, seconds: u32) -> bool {
        timeout(seconds * SECOND, next(pulse)).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_answers_nothing_is_asked_once_and_lost() {
        let mut pulse = pulse(5, 2);
        assert_eq!(next(&mut pulse).await, (Beat::Ask, 5));
        assert_eq!(next(&mut pulse).await, (Beat::Lost, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_speaks_is_not_asked() {
        let mut pulse = pulse(5, 2);
        for _ in 0..10 {
            assert!(rests(&mut pulse, 4).await);
            pulse.heard();
        }
        assert_eq!(next(&mut pulse).await, (Beat::Ask, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_answers_is_asked_again_after_as_long() {
        // The time for the answer is longer than the silence that is borne, as by default.
        for (borne, answer) in [(5, 2), (5, 60)] {
            let mut pulse = pulse(borne, answer);
            for _ in 0..5 {
                assert_eq!(next(&mut pulse).await, (Beat::Ask, 5));
                assert!(rests(&mut pulse, 1).await);
                pulse.heard();
                pulse.answered();
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn other_frames_do_not_stand_for_the_answer() {
        let mut pulse = pulse(5, 2);
        assert_eq!(next(&mut pulse).await, (Beat::Ask, 5));
        assert!(rests(&mut pulse, 1).await);
        pulse.heard();
        assert_eq!(next(&mut pulse).await, (Beat::Lost, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_asked_for_changes_nothing() {
        let mut pulse = pulse(5, 2);
        pulse.answered();
        assert_eq!(next(&mut pulse).await, (Beat::Ask, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn times_without_end_are_borne() {
        let mut pulse = Pulse::new(Silence { borne: Duration::MAX, answer: Duration::MAX });
        assert!(rests(&mut pulse, 86_400).await);
        advance(SECOND).await;
        pulse.heard();
        assert!(rests(&mut pulse, 86_400).await);
    }
}
