//! Requests as a browser sends them: forms, files and a cookie.

use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use spots_testkit::app::{Client, Reply, TestApp};

const PASSWORD: &str = "correct horse battery";
const BOUNDARY: &str = "----boundary";

/// A browser with one session, or none.
pub(crate) struct Browser {
    client: Client,
    cookie: String,
}

impl Browser {
    pub(crate) fn nobody(app: &TestApp) -> Self {
        Self {
            client: app.anonymous(),
            cookie: String::new(),
        }
    }

    /// Signs someone up by the form.
    pub(crate) async fn sign_up(app: &TestApp, email: &str) -> Self {
        Self::begin(app, "/sign-up", email).await
    }

    /// The browser of somebody who signed up over the API.
    pub(crate) async fn of(app: &TestApp, email: &str) -> Self {
        Self::begin(app, "/sign-in", email).await
    }

    /// Signs someone in who signed up before.
    pub(crate) async fn again(&self, app: &TestApp, email: &str) -> Self {
        Self::begin(app, "/sign-in", email).await
    }

    async fn begin(app: &TestApp, path: &str, email: &str) -> Self {
        let nobody = Self::nobody(app);
        let form = [("email", email), ("password", PASSWORD)];
        let reply = nobody.post(path, &form).await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        let cookie = reply.headers["set-cookie"].to_str().unwrap();
        let (cookie, _) = cookie.split_once(';').unwrap();
        Self {
            cookie: cookie.to_owned(),
            ..nobody
        }
    }

    async fn send(&self, request: Builder, body: Vec<u8>) -> Reply {
        let request = request
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", "same-origin");
        let request = request.body(Body::from(body)).unwrap();
        self.client.send(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path), Vec::new()).await
    }

    /// A page that is there.
    pub(crate) async fn page(&self, path: &str) -> String {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text()
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        let pairs = form
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let body = pairs.collect::<Vec<_>>().join("&").into_bytes();
        let request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request, body).await
    }

    /// A form with a file; an empty file is left out.
    pub(crate) async fn upload(&self, path: &str, form: &[(&str, &str)], file: &[u8]) -> Reply {
        let mut body = Vec::new();
        for (name, value) in form {
            let part = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend_from_slice(part.as_bytes());
        }
        if !file.is_empty() {
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"calendar\"; \
                 filename=\"programme.ics\"\r\nContent-Type: text/calendar\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(file);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        let media = format!("multipart/form-data; boundary={BOUNDARY}");
        self.send(Request::post(path).header("content-type", media), body)
            .await
    }
}

fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// The value of a hidden input.
pub(crate) fn value_of(html: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let (_, rest) = html.split_once(&mark).expect("the page has the input");
    rest.split('"').next().unwrap_or_default().to_owned()
}
