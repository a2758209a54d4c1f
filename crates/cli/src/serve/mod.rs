//! A server that answers rows over HTTP.
//!
//! A thread for every connection reads requests (`http`) and writes answers (`api`); one thread runs the network for all
//! of them, batch by batch (`batch`).

mod api;
mod batch;
mod http;
mod metrics;
mod page;

use crate::failure::{Failure, Result};
use crate::output::Output;
use api::{Api, Wrong};
use batch::Queue;
pub use http::Limits;
use http::{Connection, Refusal};
use metrics::Metrics;
use nnc_syntax::{Code, Diagnostic};
use nnc_train::{Beside, InferOptions, ProblemKind, Responder, Trained};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How a server is to be.
pub struct Settings {
    /// Where it listens.
    pub host: String,
    /// 0 takes any that is free.
    pub port: u16,
    /// What a request may take.
    pub limits: Limits,
    /// Rows of a request.
    pub rows: usize,
    /// Requests at once.
    pub requests: usize,
    /// So long a request waits for others that have begun.
    pub window: Duration,
}

/// Whether the server stops is looked at so often.
const LOOK: Duration = Duration::from_millis(50);

/// Answers until a signal comes, and then what has begun.
pub fn serve(trained: &Trained, options: &InferOptions, settings: &Settings, out: &mut Output) -> Result<u8> {
    let mut responder = Responder::new(trained, options)?;
    let questions = trained.questions()?;
    let names: Vec<String> = questions.columns().iter().map(|(name, ..)| (*name).to_string()).collect();
    let header = questions.header_of(&names, "the request")?;
    let headings = responder.headings(&header, &Beside::Nothing)?.0;
    let listener = TcpListener::bind((settings.host.as_str(), settings.port)).map_err(|error| {
        let message = format!("cannot listen at {}:{}: {error}", settings.host, settings.port);
        let d = Diagnostic::error(Code::N0703, message).help("--port 0 takes one that is free");
        Failure::one(ProblemKind::Io, d)
    })?;
    let address = listener.local_addr()?;
    let stop = signals(out);
    let (queue, metrics, connections) = (Queue::default(), Metrics::default(), AtomicUsize::new(0));
    let bodies = AtomicUsize::new(0);
    let api = Api {
        questions,
        name: trained.path.display().to_string(),
        headings,
        queue: &queue,
        metrics: &metrics,
        connections: &connections,
        most: settings.rows,
    };
    if !address.ip().is_loopback() {
        out.note("whoever reaches this machine can ask: there is no password; docs/serve.md says what to put before it");
    }
    out.result(&format!("http://{address}\n"))?;
    out.note(&format!("{} answers; Ctrl-C stops it", trained.path.display()));
    thread::scope(|scope| {
        let (stop, api, queue, metrics, bodies) = (&*stop, &api, &queue, &metrics, &bodies);
        // Whoever waits for a connection is woken by one.
        scope.spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                thread::sleep(LOOK);
            }
            let near = match (address.ip().is_unspecified(), address.is_ipv4()) {
                (false, _) => address.ip(),
                (true, true) => std::net::Ipv4Addr::LOCALHOST.into(),
                (true, false) => std::net::Ipv6Addr::LOCALHOST.into(),
            };
            let _ = TcpStream::connect_timeout(&(near, address.port()).into(), Duration::from_secs(1));
        });
        scope.spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else {
                    // Too many open files, most likely.
                    thread::sleep(LOOK);
                    continue;
                };
                let open = Open::new(api.connections);
                if api.connections.load(Ordering::SeqCst) > settings.requests {
                    refuse(stream, settings, stop, bodies);
                    metrics.request("other", 503);
                    continue;
                }
                let spawned = thread::Builder::new().spawn_scoped(scope, move || {
                    let _open = open;
                    if let Ok(connection) = Connection::new(stream, settings.limits, stop, bodies) {
                        talk(connection, api);
                    }
                });
                if spawned.is_err() {
                    metrics.request("other", 503);
                }
            }
            drop(listener);
            // What has begun is finished; nobody may take longer than a request may.
            let until = Instant::now() + settings.limits.time + settings.limits.time;
            while api.connections.load(Ordering::SeqCst) > 0 && Instant::now() < until {
                thread::sleep(Duration::from_millis(5));
            }
            queue.close();
        });
        queue.serve(&mut responder, settings.window, !trained.is_windowed(), metrics);
    });
    out.note("stopped");
    Ok(0)
}

/// Counts a connection until its end.
struct Open<'a>(&'a AtomicUsize);

impl<'a> Open<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Open(count)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Answers the requests of a connection.
fn talk(mut connection: Connection<'_>, api: &Api<'_>) {
    loop {
        if connection.begin().is_err() {
            return;
        }
        let coming = api.queue.coming();
        let request = match connection.request() {
            Ok(request) => request,
            Err(Refusal::Gone) => return,
            Err(Refusal::Status(status, why)) => {
                drop(coming);
                api.metrics.request("other", status);
                let response = Wrong::new(status, why, "").response();
                if connection.answer(&response, false, false).is_ok() {
                    connection.linger();
                }
                return;
            }
        };
        let (path, response) = api.answer(&request, coming);
        api.metrics.request(path, response.status);
        match connection.answer(&response, request.keep, request.method == "HEAD") {
            Ok(true) => {}
            Ok(false) | Err(_) => return,
        }
    }
}

/// Too many are asking.
fn refuse(stream: TcpStream, settings: &Settings, stop: &AtomicBool, bodies: &AtomicUsize) {
    let Ok(mut connection) = Connection::new(stream, settings.limits, stop, bodies) else { return };
    let message = format!("{} are asking already", settings.requests);
    let mut response = Wrong::new(503, message, "--max-requests lets more in").response();
    response.headers.push("Retry-After: 1".into());
    let _ = connection.answer(&response, false, false);
}

/// A flag that SIGTERM and Ctrl-C raise; the second ends the process at once.
#[cfg(unix)]
fn signals(out: &mut Output) -> Arc<AtomicBool> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        let second = flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop));
        let first = second.and_then(|_| flag::register(signal, Arc::clone(&stop)));
        if let Err(error) = first {
            out.note(&format!("signals end the server at once: {error}"));
        }
    }
    stop
}

#[cfg(not(unix))]
fn signals(out: &mut Output) -> Arc<AtomicBool> {
    crate::training::interrupt(out)
}
