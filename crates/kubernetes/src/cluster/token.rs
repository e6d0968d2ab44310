//! A bearer token that stands in a file and is replaced there, as kubelets do with that of a service account.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use http::{HeaderValue, Request, header::AUTHORIZATION};
use tower::BoxError;

use super::InvalidConnection;

/// A file with a token. Clones share what was read last.
#[derive(Clone, Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    /// What is sent when the file cannot be read: some take it away after a start.
    last: Arc<Mutex<HeaderValue>>,
}

impl TokenFile {
    /// Reads the file for the first time.
    ///
    /// # Errors
    /// When it cannot be read, or holds what no header can.
    pub(super) fn open(path: PathBuf) -> Result<Self, InvalidConnection> {
        match read(&path) {
            Ok(last) => Ok(Self { path, last: Arc::new(Mutex::new(last)) }),
            Err(source) => Err(InvalidConnection::Token { path, source }),
        }
    }

    /// Puts the present token into a request.
    ///
    /// The file is read each time: requests are few, and it is small and in memory.
    pub(super) fn sign<B>(&self, mut request: Request<B>) -> Result<Request<B>, BoxError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(present) = read(&self.path) {
            *last = present;
        }
        request.headers_mut().insert(AUTHORIZATION, last.clone());
        Ok(request)
    }
}

fn read(path: &PathBuf) -> std::io::Result<HeaderValue> {
    let token = fs::read_to_string(path)?;
    let token = token.trim();
    if token.is_empty() {
        return Err(std::io::Error::other("it is empty"));
    }
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let mut value = value.map_err(|_| std::io::Error::other("it holds no token"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use portway_testkit::folder::Folder;

    use super::*;

    fn sent(file: &TokenFile) -> String {
        let request = file.sign(Request::new(())).unwrap();
        request.headers()[AUTHORIZATION].to_str().unwrap().to_owned()
    }

    #[test]
    fn a_request_has_the_present_token_or_the_last_that_could_be_read() {
        let folder = Folder::new("token");
        let path = folder.path().join("token");
        let missing = TokenFile::open(path.clone()).unwrap_err().to_string();
        assert!(missing.contains("token"), "{missing}");
        fs::write(&path, "first\n").unwrap();
        let file = TokenFile::open(path.clone()).unwrap();
        assert_eq!(sent(&file), "Bearer first");
        fs::write(&path, "second").unwrap();
        assert_eq!(sent(&file), "Bearer second");
        for unreadable in ["", "a\nb"] {
            fs::write(&path, unreadable).unwrap();
            assert_eq!(sent(&file), "Bearer second");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(sent(&file), "Bearer second");
        assert!(!format!("{file:?}").contains("second"));
    }
}
