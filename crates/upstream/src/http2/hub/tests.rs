use portway_http::{
    Request,
    h2::{Client, Limits, RequestHead},
};

use super::*;

#[test]
fn a_reader_that_is_always_behind_holds_no_more_than_that() {
    let hub = Hub::share(Connection::<Client>::client(&Limits::default()));
    let mut hub = hub.borrow_mut();
    let stream = {
        let request = Request::new();
        let head =
            RequestHead { request: &request, scheme: "http", authority: "a", protocol: None };
        hub.engine.request(&head, true).unwrap()
    };
    hub.add(stream, false);
    hub.take_data(stream, &[b'x'; 10_000], false);
    for round in 0..100_000_u32 {
        hub.take_data(stream, &round.to_be_bytes().repeat(250), false);
        hub.slot(stream).unwrap().advance(1000);
    }
    let slot = hub.slot(stream).unwrap();
    assert_eq!(slot.unread().len(), 10_000);
    assert!(slot.unread().ends_with(&99_999_u32.to_be_bytes()));
    assert!(slot.received.capacity() <= 64 * 1024, "{}", slot.received.capacity());
}
