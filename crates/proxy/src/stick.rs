//! Sticky cookies on their way to the client.

use portway_http::{Headers, Known};

/// Adds values of `Set-Cookie` to a response, in front of those that the server set, as Traefik does.
#[inline]
pub(crate) fn stick(headers: &mut Headers, cookies: &[&str]) {
    if !cookies.is_empty() {
        put_in_front(headers, cookies);
    }
}

#[cold]
fn put_in_front(headers: &mut Headers, cookies: &[&str]) {
    let own: Vec<Vec<u8>> = headers.get_all(Known::SetCookie).map(<[u8]>::to_vec).collect();
    headers.remove(Known::SetCookie);
    cookies.iter().for_each(|cookie| headers.append(Known::SetCookie, cookie));
    own.iter().for_each(|cookie| headers.append(Known::SetCookie, cookie));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_of_ours_come_before_those_of_the_server() {
        let mut headers = Headers::new();
        headers.append(Known::SetCookie, "own=1");
        headers.append(Known::Vary, "Cookie");
        headers.append(Known::SetCookie, "own=2");
        stick(&mut headers, &[]);
        assert_eq!(headers.len(), 3);
        stick(&mut headers, &["outer=a; Path=/", "inner=b; Path=/"]);
        let cookies: Vec<_> = headers.get_all(Known::SetCookie).collect();
        let expected: [&[u8]; 4] = [b"outer=a; Path=/", b"inner=b; Path=/", b"own=1", b"own=2"];
        assert_eq!(cookies, expected);
        assert_eq!(headers.get(Known::Vary), Some(b"Cookie".as_slice()));
    }
}
