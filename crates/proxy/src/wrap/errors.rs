//! `errors`: see [`portway_middleware::Errors`].

use portway_http::{Answer, BodyFraming, Method};
use portway_middleware::Errors;
use portway_snapshot::{Steps, Target};

use super::fields::Join;
use crate::exchange::{Exchange, Reply};

impl<'s> Exchange<'_, 's> {
    /// Leads the request through `rest`, and puts a page of `pages` in the place of an error.
    pub(super) async fn errors(
        &mut self,
        errors: &Errors,
        pages: &'s Target,
        rest: &'s Steps,
    ) -> Reply<'s> {
        let outer = std::mem::replace(&mut self.keeps_unsent, true);
        let copied = self.unsent.take().filter(|_| !outer);
        let fields = self.set_aside();
        let mut reply = self.run(rest).await;
        self.keeps_unsent = false;
        let status = self.status_of(&reply);
        if !errors.covers(status) {
            self.join(fields, &mut reply, Join::Instead);
            self.keeps_unsent = outer;
            self.unsent = copied.or(self.unsent.take());
            return reply;
        }
        self.take_back(fields);
        let (reason, detail) = (self.facts.reason, std::mem::take(&mut self.facts.detail));
        self.drop_reply(reply);
        self.abandon_body();
        let asked = self.unsent.as_ref().unwrap_or(&self.memory.request);
        let page = errors.page(status, asked, self.context.tls);
        let mut reply = match page.request {
            Some(request) => {
                self.facts.keep_headers(&self.memory.request.headers);
                let asked = std::mem::replace(&mut self.memory.request, request);
                let appends = std::mem::take(&mut self.context.append_forwarded_for);
                let fields = self.set_aside();
                let mut reply = self.ask(pages).await;
                self.join(fields, &mut reply, Join::Instead);
                self.context.append_forwarded_for = appends;
                self.memory.request = asked;
                reply
            }
            None => self.answered(Answer::error(page.status, page.status.text())),
        };
        self.keeps_unsent = outer;
        self.unsent = copied.or(self.unsent.take());
        match &mut reply {
            Reply::Answer(answer) => answer.status = page.status,
            Reply::Server(_) => self.memory.response.status = page.status,
        }
        let is_bare = self.memory.request.method == Method::Head || !page.status.allows_body();
        if is_bare && matches!(reply, Reply::Server(_)) {
            // The page has a body that nobody takes: its connection cannot be used again.
            let body = std::mem::replace(&mut self.memory.response.body, BodyFraming::None);
            if let BodyFraming::Length(length) = body {
                self.memory.hidden_body = length;
            }
            self.memory.response.keep_alive = false;
        }
        if self.facts.reason.is_none() {
            (self.facts.reason, self.facts.detail) = (reason, detail);
        }
        reply
    }
}
