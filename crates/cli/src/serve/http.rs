//! HTTP/1.1 over one connection: requests within limits of size and time, and answers to them.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a body.
    pub body: usize,
    /// From the first byte of a request to its last.
    pub time: Duration,
    /// Bytes of all bodies together.
    pub all: usize,
}

/// The first line and the headers may have so many bytes.
const HEAD: usize = 16 << 10;
/// And there may be so many headers.
const HEADERS: usize = 64;
/// So long a connection stays open on which nothing is asked.
const IDLE: Duration = Duration::from_secs(60);
/// So often whoever waits looks whether the server stops.
const LOOK: Duration = Duration::from_millis(100);
/// So long, and so many bytes, is listened to a request that was refused.
const LINGER: (Duration, usize) = (Duration::from_secs(1), 64 << 20);

/// A request.
#[derive(Debug, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Without what follows a `?`.
    pub path: String,
    /// What its body is, without parameters, in small letters.
    pub content_type: String,
    /// What is wanted back.
    pub accept: String,
    /// The body.
    pub body: Vec<u8>,
    /// Whether another request may follow.
    pub keep: bool,
}

/// Why there is no request.
#[derive(Debug)]
pub enum Refusal {
    /// Nobody asks any more.
    Gone,
    /// It is refused with a status, and why.
    Status(u16, String),
}

impl From<io::Error> for Refusal {
    fn from(_: io::Error) -> Self {
        Refusal::Gone
    }
}

fn refused<T>(status: u16, why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Status(status, why.into()))
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// 200, …
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// More headers, whole lines without their ends.
    pub headers: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer with a body.
    pub fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type, headers: Vec::new(), body: body.into() }
    }
}

/// Bytes of bodies that are being held, given back at its end.
struct Held<'a> {
    all: &'a AtomicUsize,
    bytes: usize,
}

impl<'a> Held<'a> {
    fn more(&mut self, bytes: usize, limits: &Limits) -> Result<(), Refusal> {
        self.bytes += bytes;
        if self.all.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > limits.all {
            return refused(503, "too much is being asked at once");
        }
        Ok(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A connection, and what came over it and is not read yet.
pub struct Connection<'a> {
    stream: TcpStream,
    buffer: Vec<u8>,
    limits: Limits,
    /// Raised where the server stops.
    stop: &'a AtomicBool,
    /// Bytes of all bodies.
    all: &'a AtomicUsize,
    held: Option<Held<'a>>,
}

impl<'a> Connection<'a> {
    /// Begins to listen.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn new(
        stream: TcpStream,
        limits: Limits,
        stop: &'a AtomicBool,
        all: &'a AtomicUsize,
    ) -> io::Result<Self> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(limits.time.max(LOOK)))?;
        Ok(Self { stream, buffer: Vec::new(), limits, stop, all, held: None })
    }

    /// Reads some bytes more before a time; 0 of them where nothing more comes.
    fn more(&mut self, until: Instant) -> Result<usize, Refusal> {
        let mut piece = [0; 8192];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return refused(408, "the request did not come in time");
            }
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(&mut piece) {
                Ok(n) => {
                    self.buffer.extend_from_slice(&piece[..n]);
                    return Ok(n);
                }
                Err(e) if again(&e) => {}
                Err(_) => return Err(Refusal::Gone),
            }
        }
    }

    /// Waits for the first byte of a request.
    ///
    /// # Errors
    /// None comes, or the server stops before one does.
    pub fn begin(&mut self) -> Result<(), Refusal> {
        self.held = None;
        let until = Instant::now() + IDLE;
        while self.buffer.is_empty() {
            if self.stop.load(Ordering::SeqCst) || Instant::now() > until {
                return Err(Refusal::Gone);
            }
            match self.more(Instant::now() + LOOK) {
                Ok(0) => return Err(Refusal::Gone),
                Ok(_) | Err(Refusal::Status(..)) => {}
                Err(Refusal::Gone) => return Err(Refusal::Gone),
            }
        }
        Ok(())
    }

    /// Reads the request that has begun.
    ///
    /// # Errors
    /// It is none, is too large, or takes too long.
    pub fn request(&mut self) -> Result<Request, Refusal> {
        let until = Instant::now() + self.limits.time;
        let (mut request, length, end) = loop {
            if let Some(head) = head(&self.buffer)? {
                break head;
            }
            if self.buffer.len() > HEAD {
                return refused(431, format!("the headers are longer than {HEAD} bytes"));
            }
            if self.more(until)? == 0 {
                return Err(Refusal::Gone);
            }
        };
        self.buffer.drain(..end);
        let mut held = Held { all: self.all, bytes: 0 };
        let (length, expects) = length;
        if let Length::Bytes(bytes) = length {
            self.fits(bytes)?;
            held.more(bytes, &self.limits)?;
        }
        if expects && self.buffer.is_empty() {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        request.body = match length {
            Length::Bytes(bytes) => self.bytes(bytes, until)?,
            Length::Chunks => self.chunks(&mut held, until)?,
        };
        self.held = Some(held);
        Ok(request)
    }

    fn fits(&self, bytes: usize) -> Result<(), Refusal> {
        match bytes > self.limits.body {
            true => refused(413, format!("a request may have {} bytes", self.limits.body)),
            false => Ok(()),
        }
    }

    fn bytes(&mut self, count: usize, until: Instant) -> Result<Vec<u8>, Refusal> {
        while self.buffer.len() < count {
            if self.more(until)? == 0 {
                return Err(Refusal::Gone);
            }
        }
        let rest = self.buffer.split_off(count);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    /// A body in pieces, each behind its length (RFC 9112, 7.1).
    fn chunks(&mut self, held: &mut Held<'_>, until: Instant) -> Result<Vec<u8>, Refusal> {
        let mut body = Vec::new();
        loop {
            let size = match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((begin, size))) => {
                    self.buffer.drain(..begin);
                    size
                }
                Ok(httparse::Status::Partial) if self.buffer.len() > HEAD => {
                    return refused(400, "a piece of the body has no length");
                }
                Ok(httparse::Status::Partial) => {
                    if self.more(until)? == 0 {
                        return Err(Refusal::Gone);
                    }
                    continue;
                }
                Err(_) => return refused(400, "a piece of the body has no length"),
            };
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            self.fits(body.len().saturating_add(size))?;
            if size == 0 {
                return self.trailer(until).map(|()| body);
            }
            held.more(size, &self.limits)?;
            body.extend(self.bytes(size, until)?);
            if self.bytes(2, until)? != b"\r\n" {
                return refused(400, "a piece of the body is longer than it says");
            }
        }
    }

    /// The lines behind the last piece, which nobody needs.
    fn trailer(&mut self, until: Instant) -> Result<(), Refusal> {
        let mut read = 0;
        loop {
            let end = self.buffer.windows(2).position(|w| w == b"\r\n");
            if let Some(end) = end {
                self.buffer.drain(..end + 2);
                read += end + 2;
                if end == 0 {
                    return Ok(());
                }
            }
            if read + self.buffer.len() > HEAD {
                return refused(431, format!("the headers are longer than {HEAD} bytes"));
            }
            if end.is_none() && self.more(until)? == 0 {
                return Err(Refusal::Gone);
            }
        }
    }

    /// Answers; whether the connection stays.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn answer(&mut self, response: &Response, keep: bool, bodiless: bool) -> io::Result<bool> {
        let keep = keep && !self.stop.load(Ordering::SeqCst);
        let mut out = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nX-Content-Type-Options: nosniff\r\n",
            response.status,
            reason(response.status),
            response.content_type,
            response.body.len()
        );
        for line in &response.headers {
            out.push_str(line);
            out.push_str("\r\n");
        }
        out.push_str(if keep { "\r\n" } else { "Connection: close\r\n\r\n" });
        let mut out = out.into_bytes();
        if !bodiless {
            out.extend_from_slice(&response.body);
        }
        self.stream.write_all(&out)?;
        self.held = None;
        Ok(keep)
    }

    /// Ends a connection of whom something may still be on its way, so that the answer reaches them.
    pub fn linger(mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
        let until = Instant::now() + LINGER.0;
        let mut read = 0;
        while read < LINGER.1 && !self.stop.load(Ordering::SeqCst) {
            self.buffer.clear();
            match self.more(until) {
                Ok(n) if n > 0 => read += n,
                Ok(_) | Err(_) => return,
            }
        }
    }
}

fn again(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// How long a body is.
#[derive(Clone, Copy)]
enum Length {
    Bytes(usize),
    Chunks,
}

/// A request without its body, how long that is, whether somebody waits to send it, and where it begins; `None` where
/// not all is there yet.
#[allow(clippy::type_complexity, reason = "one caller, one place")]
fn head(buffer: &[u8]) -> Result<Option<(Request, (Length, bool), usize)>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let end = match parsed.parse(buffer) {
        Ok(httparse::Status::Complete(end)) if end > HEAD => {
            return refused(431, format!("the headers are longer than {HEAD} bytes"));
        }
        Ok(httparse::Status::Complete(end)) => end,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return refused(431, format!("there are more than {HEADERS} headers"));
        }
        Err(error) => return refused(400, format!("this is no request of HTTP: {error}")),
    };
    let path = parsed.path.unwrap_or_default();
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_string(),
        path: path.split('?').next().unwrap_or_default().to_string(),
        keep: parsed.version == Some(1),
        ..Request::default()
    };
    let (mut length, mut chunks, mut expects) = (None, false, false);
    for header in parsed.headers.iter() {
        let value = String::from_utf8_lossy(header.value).trim().to_string();
        let low = value.to_ascii_lowercase();
        match header.name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
                let bytes = if digits { value.parse().unwrap_or(usize::MAX) } else { 0 };
                if !digits || length.is_some_and(|before| before != bytes) {
                    return refused(400, "the length of the body is no number");
                }
                length = Some(bytes);
            }
            "transfer-encoding" if low == "chunked" && !chunks => chunks = true,
            "transfer-encoding" => {
                return refused(501, format!("a body that is `{}` is not read", shown(&value)));
            }
            "content-encoding" if low != "identity" => {
                return refused(415, format!("a body that is packed (`{}`) is not read", shown(&value)));
            }
            "content-type" => {
                request.content_type = low.split(';').next().unwrap_or_default().trim().to_string();
            }
            "accept" => request.accept = low,
            "expect" => expects = low == "100-continue",
            "connection" if low.contains("close") => request.keep = false,
            "connection" if low.contains("keep-alive") => request.keep = true,
            _ => {}
        }
    }
    // Two lengths are how requests are smuggled past a proxy.
    if chunks && length.is_some() {
        return refused(400, "the body has a length and comes in pieces");
    }
    let length = if chunks { Length::Chunks } else { Length::Bytes(length.unwrap_or(0)) };
    Ok(Some((request, (length, expects), end)))
}

/// Words of a stranger, short and without what steers a terminal.
fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let text = b"POST /predict?x=1 HTTP/1.1\r\nContent-Type: Text/CSV; charset=utf-8\r\ncontent-length: 3\r\n\r\na,b";
        let (request, (length, expects), end) = head(text).unwrap().unwrap();
        assert_eq!((request.path.as_str(), request.content_type.as_str()), ("/predict", "text/csv"));
        assert!(matches!(length, Length::Bytes(3)) && !expects && request.keep);
        assert_eq!(&text[end..], b"a,b");
        assert!(head(&text[..30]).unwrap().is_none());
        for wrong in [
            &b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"[..],
            b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
            b"\x16\x03\x01 TLS\r\n\r\n",
        ] {
            assert!(matches!(head(wrong), Err(Refusal::Status(400 | 501, _))), "{wrong:?}");
        }
    }
}
