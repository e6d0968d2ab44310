//! SETTINGS (RFC 9113 §6.5).

use super::error::ConnectionError;
use super::limits::Limits;

/// What the peer has set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) table: usize,
    /// How many streams we may open.
    pub(super) streams: u32,
    /// The window of each new stream.
    pub(super) window: u32,
    /// The longest frame that it takes.
    pub(super) frame_bytes: usize,
    /// The longest head that it wants, counted as in RFC 9113 §6.5.2.
    pub(super) head_bytes: usize,
    /// Whether it takes CONNECT with a protocol (RFC 8441).
    pub(super) extended_connect: bool,
}

impl Settings {
    /// What holds before the peer has said anything; that we may open some streams is a guess.
    pub(super) const UNSAID: Self = Self {
        table: 4096,
        streams: 100,
        window: 65_535,
        frame_bytes: 16_384,
        head_bytes: usize::MAX,
        extended_connect: false,
    };

    /// Takes the payload of a frame over.
    pub(super) fn take(
        &mut self,
        payload: &[u8],
        from_server: bool,
    ) -> Result<(), ConnectionError> {
        let (settings, rest) = payload.as_chunks::<6>();
        if !rest.is_empty() {
            return Err(ConnectionError::frame_size("SETTINGS of a wrong length"));
        }
        for &[a, b, value @ ..] in settings {
            let value: [u8; 4] = value;
            self.set(u16::from_be_bytes([a, b]), u32::from_be_bytes(value), from_server)?;
        }
        Ok(())
    }

    fn set(&mut self, id: u16, value: u32, from_server: bool) -> Result<(), ConnectionError> {
        match id {
            id::TABLE => self.table = value as usize,
            id::PUSH if value > 1 || (value == 1 && from_server) => {
                return Err(ConnectionError::protocol("SETTINGS_ENABLE_PUSH of a wrong value"));
            }
            id::STREAMS => self.streams = value,
            id::WINDOW if value > i32::MAX.cast_unsigned() => {
                return Err(ConnectionError::flow_control(
                    "SETTINGS_INITIAL_WINDOW_SIZE too large",
                ));
            }
            id::WINDOW => self.window = value,
            id::FRAME_BYTES if !(16_384..=16_777_215).contains(&value) => {
                return Err(ConnectionError::protocol("SETTINGS_MAX_FRAME_SIZE out of range"));
            }
            id::FRAME_BYTES => self.frame_bytes = value as usize,
            id::CONNECT if value > 1 || (value == 0 && self.extended_connect) => {
                return Err(ConnectionError::protocol(
                    "SETTINGS_ENABLE_CONNECT_PROTOCOL of a wrong value",
                ));
            }
            id::CONNECT => self.extended_connect = value == 1,
            id::HEAD_BYTES => self.head_bytes = value as usize,
            // Unknown ones are ignored.
            _ => {}
        }
        Ok(())
    }
}

/// Our settings as the payload of a frame.
pub(super) fn write(limits: &Limits, is_server: bool) -> Vec<u8> {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let mut payload = Vec::new();
    let mut set = |id: u16, value: u32| {
        payload.extend_from_slice(&id.to_be_bytes());
        payload.extend_from_slice(&value.to_be_bytes());
    };
    if limits.decoder_table != 4096 {
        set(id::TABLE, length(limits.decoder_table));
    }
    if is_server {
        set(id::STREAMS, limits.streams);
        if limits.extended_connect {
            set(id::CONNECT, 1);
        }
    } else {
        set(id::PUSH, 0);
    }
    set(id::WINDOW, limits.usable_stream_window());
    if limits.usable_frame_bytes() != 16_384 {
        set(id::FRAME_BYTES, limits.usable_frame_bytes());
    }
    set(id::HEAD_BYTES, length(limits.head_bytes));
    payload
}

mod id {
    pub(super) const TABLE: u16 = 1;
    pub(super) const PUSH: u16 = 2;
    pub(super) const STREAMS: u16 = 3;
    pub(super) const WINDOW: u16 = 4;
    pub(super) const FRAME_BYTES: u16 = 5;
    pub(super) const HEAD_BYTES: u16 = 6;
    pub(super) const CONNECT: u16 = 8;
}
