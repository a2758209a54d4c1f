//! A trained network asked over real sockets.
#![cfg(feature = "serve")]
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, command};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Child;
use std::time::{Duration, Instant};

/// A server that is ended with the test.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

/// Reads one answer.
fn reply(stream: &mut impl Read) -> Reply {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "cut short: {head}");
        if line == "\r\n" {
            break;
        }
        if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = n.trim().parse().unwrap();
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
    Reply { status, head, body: String::from_utf8(body).unwrap() }
}

fn start(place: &Place, args: &[&str]) -> Server {
    let mut child =
        command(&place.path(""), &[&["serve", "run", "--port", "0"], args].concat()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("http://").unwrap_or_else(|| panic!("{line}")).to_string();
    Server { child, address }
}

impl Server {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    fn send(&self, text: impl AsRef<[u8]>) -> Reply {
        let mut stream = self.connect();
        // A server may refuse before all of it has come.
        let _ = stream.write_all(text.as_ref());
        reply(&mut stream)
    }

    fn get(&self, path: &str) -> Reply {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    }

    fn post(&self, kind: &str, body: &str) -> Reply {
        self.send(request(kind, body))
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args([name, &pid]).status().unwrap().success());
    }
}

fn request(kind: &str, body: &str) -> String {
    format!(
        "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn shop() -> Place {
    let place = Place::new();
    let mut text = String::from("order,size,colour,price\n");
    for i in 0..60 {
        let (size, colour) = (i % 7, ["red", "blue"][i % 2]);
        text += &format!("{i:04},{size}.50,{colour},{}\n", 100 + 10 * size);
    }
    place.write("orders.csv", &text);
    place.write(
        "shop.nn",
        "data \"orders.csv\" { drop order; target price standardize\n\
         input size standardize missing=drop; input colour one_hot }\n\
         dense 4 relu; dense 1; loss mse; optimizer adam; epochs 2\n",
    );
    place.nnc(&["train", "shop.nn", "-q", "--out", "run"]).fine();
    place
}

const NEW: &str = "colour,order,size\nred,0012,1.50\nblue,13,\ngreen,14,2\nred,15,three\nred\nblue,17,.5\n";

#[test]
fn answers_are_those_of_predict() {
    let place = shop();
    place.write("new.csv", NEW);
    let csv = place.nnc(&["predict", "run", "--data", "new.csv"]).fine();
    let all = place.nnc(&["predict", "run", "--data", "new.csv", "--json"]).json();
    let server = start(&place, &[]);
    let said = server.post("text/csv", NEW);
    assert_eq!((said.status, said.body.as_str()), (200, csv.as_str()));
    assert!(said.head.contains("Nnc-Unanswered: 4") && said.head.contains("text/csv"), "{}", said.head);
    // The same rows as objects.
    let rows = json!([
        {"colour": "red", "size": 1.5}, {"colour": "blue", "size": null}, {"colour": "green", "size": 2},
        {"size": "three", "colour": "red"}, {"colour": "red"}, {"colour": "blue", "size": 0.5}
    ]);
    for body in [json!({ "rows": rows }), rows.clone()] {
        let said = server.post("application/json; charset=utf-8", &body.to_string());
        assert_eq!((said.status, &said.json()["rows"]), (200, &all["rows"]), "{}", said.body);
        let why = &said.json()["unanswered"];
        assert_eq!(why[1], json!({"row": 3, "why": "training never saw `green` in `colour`"}));
        assert!(why[2]["why"].as_str().unwrap().starts_with("`three` is not a number"), "{why}");
    }
    // As objects, one a line, and as another form than the rows.
    let lines: Vec<String> = rows.as_array().unwrap().iter().map(Value::to_string).collect();
    let said = server.post("application/x-ndjson", &lines.join("\n"));
    let each: Vec<Value> = said.body.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(&each, all["rows"].as_array().unwrap());
    let text =
        request("text/csv", NEW).replace("Host: x", "Host: x\r\nAccept: text/html, application/json;q=0.9");
    let said = server.send(text).json();
    assert_eq!(said["rows"], all["rows"]);
    assert_eq!(said["unanswered"][0], json!({"row": 2, "line": 3, "why": "`size` is missing"}));
    // What curl says where nobody says anything.
    let said = server.post("application/x-www-form-urlencoded", &json!({ "rows": rows }).to_string());
    assert_eq!(said.json()["rows"], all["rows"]);
    // A body in pieces.
    let pieces: Vec<String> = NEW
        .as_bytes()
        .chunks(7)
        .map(|c| format!("{:x}\r\n{}\r\n", c.len(), String::from_utf8_lossy(c)))
        .collect();
    let text = format!(
        "POST /predict HTTP/1.1\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\nX: y\r\n\r\n",
        pieces.concat()
    );
    assert_eq!(server.send(text).body, csv);
    // Many requests over one connection.
    let mut stream = server.connect();
    for _ in 0..3 {
        stream.write_all(request("text/csv", NEW).as_bytes()).unwrap();
        assert_eq!(reply(&mut stream).body, csv);
    }
}

#[test]
fn mistakes_are_told() {
    let place = shop();
    let server = start(&place, &["--max-body", "2000", "--max-rows", "20"]);
    let json = |body: &str| server.post("application/json", body);
    for (body, status, words) in [
        ("{\"rows\": [", 400, "this is no JSON of rows: EOF while parsing"),
        ("", 400, "this is no JSON of rows"),
        ("{}", 400, "it has no `rows`"),
        ("{\"rows\": 3}", 400, "`rows` is no list"),
        ("{\"rows\": [3]}", 400, "row 1 is no object"),
        ("[]", 400, "there are no rows"),
        ("[{\"colour\": \"red\"}]", 400, "no column `size`, which the model was trained on"),
        ("[{\"colour\": \"green\", \"size\": 1}]", 422, "training never saw `green` in `colour`"),
        ("[{\"colour\": \"red\", \"size\": \"x\"}]", 422, "`x` is not a number"),
        ("[{\"colour\": \"red\", \"size\": 1, \"size\": 2}]", 422, "it has `size` twice"),
    ] {
        let said = json(body);
        let message = said.json()["error"]["message"].as_str().unwrap().to_string();
        assert!(said.status == status && message.contains(words), "{body}: {} {message}", said.status);
    }
    // The words of the terminal.
    place.write("x.csv", "colour,size\ngreen,1\n");
    let terminal = place.nnc(&["predict", "run", "--data", "x.csv"]).err;
    assert!(terminal.contains("training never saw `green` in `colour`"), "{terminal}");
    let lacking = json("[{\"color\": \"red\", \"size\": 1}]").json();
    assert_eq!(lacking["error"]["code"], "N0505", "{lacking}");
    assert!(lacking.to_string().contains("did you mean `color`?"), "{lacking}");
    assert!(json(&"[".repeat(1900)).status == 400);
    let rows = |n: usize| vec!["{\"size\":1,\"colour\":\"red\"}"; n].join(",");
    assert_eq!(json(&format!("[{}]", rows(20))).status, 200);
    let many = json(&format!("[{}]", rows(21)));
    assert!(many.status == 413 && many.body.contains("a request may have 20 rows"), "{}", many.body);
    let large = server.post("application/json", &" ".repeat(100_000));
    assert!(large.status == 413 && large.body.contains("a request may have 2000 bytes"), "{}", large.body);
    let large = server.send("POST /predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n");
    assert_eq!(large.status, 413);
    assert_eq!(server.post("image/png", "x").status, 415);
    assert_eq!(server.get("/predict").status, 405);
    assert_eq!(server.get("/nothing").status, 404);
    assert_eq!(server.send(format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(20_000))).status, 431);
    assert_eq!(server.send("\x16\x03\x01\x02\r\n\r\n").status, 400);
    // And it still answers.
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn machines_and_people_are_told() {
    let place = shop();
    let server = start(&place, &[]);
    assert_eq!(server.get("/health").json()["status"], "ok");
    server.post("text/csv", NEW);
    server.post("text/csv", "no,such\n1,2\n");
    let metrics = server.get("/metrics").body;
    for line in [
        "nnc_requests_total{path=\"/predict\",status=\"200\"} 1",
        "nnc_requests_total{path=\"/predict\",status=\"400\"} 1",
        "nnc_errors_total 1",
        "nnc_rows_total 6",
        "nnc_rows_unanswered_total 4",
        "nnc_predict_seconds_bucket{le=\"+Inf\"} 1",
        "nnc_predict_seconds_count 1",
    ] {
        assert!(metrics.lines().any(|l| l == line), "{line}\n{metrics}");
    }
    let page = server.get("/");
    assert!(page.head.contains("text/html"), "{}", page.head);
    for words in ["<code>size</code><td>number", "one of blue, red", "<code>output</code>", "curl"] {
        assert!(page.body.contains(words), "{words}\n{}", page.body);
    }
    let head = server.connect();
    let mut head = head;
    head.write_all(b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    head.read_to_string(&mut text).unwrap();
    assert!(text.ends_with("\r\n\r\n") && text.starts_with("HTTP/1.1 200"), "{text}");
}

/// Whoever sends a byte now and then holds nobody up, and is sent away.
#[test]
fn slow_clients_are_sent_away() {
    let place = shop();
    let server = start(&place, &["--timeout", "1"]);
    let begin = Instant::now();
    let mut slow = server.connect();
    slow.write_all(b"POST /predict HTTP/1.1\r\n").unwrap();
    let mut slower = server.connect();
    slower.write_all(b"POST /predict HTTP/1.1\r\nContent-Length: 50\r\n\r\nx").unwrap();
    assert_eq!(server.post("text/csv", NEW).status, 200);
    assert!(begin.elapsed() < Duration::from_millis(900));
    for stream in [&mut slow, &mut slower] {
        let said = reply(stream);
        assert!(said.status == 408 && said.head.contains("Connection: close"), "{}", said.head);
    }
    assert!(begin.elapsed() < Duration::from_secs(10));
}

/// Requests that share a batch have the answers that they would have alone.
#[test]
fn many_ask_at_once() {
    let place = shop();
    let server = start(&place, &["--gather", "20"]);
    let row = |i: usize| format!("size,colour\n{}.{i},{}\n", i % 7, ["red", "blue"][i % 2]);
    let alone: Vec<String> = (0..32).map(|i| server.post("text/csv", &row(i)).body).collect();
    place.write(
        "all.csv",
        &(0..32)
            .map(|i| row(i).replace("size,colour\n", ""))
            .fold("size,colour\n".into(), |a: String, r| a + &r),
    );
    let file = place.nnc(&["predict", "run", "--data", "all.csv"]).fine();
    let file: Vec<&str> = file.lines().skip(1).collect();
    std::thread::scope(|scope| {
        for i in 0..32 {
            let (server, alone, file) = (&server, &alone, &file);
            scope.spawn(move || {
                let mut stream = server.connect();
                for _ in 0..20 {
                    stream.write_all(request("text/csv", &row(i)).as_bytes()).unwrap();
                    let said = reply(&mut stream);
                    assert_eq!((said.status, &said.body), (200, &alone[i]), "{i}");
                    assert_eq!(said.body.lines().nth(1).unwrap(), file[i]);
                }
            });
        }
    });
    let metrics = server.get("/metrics").body;
    let batches = metrics.lines().find_map(|l| l.strip_prefix("nnc_batches_total ")).unwrap();
    assert!(batches.parse::<u64>().unwrap() < 32 + 32 * 20, "none was shared: {batches}");
}

#[test]
fn too_many_are_told_so() {
    let place = shop();
    let server = start(&place, &["--max-requests", "2"]);
    let held: Vec<TcpStream> = (0..2).map(|_| server.connect()).collect();
    for mut stream in &held {
        stream.write_all(b"GET /health HTTP/1.1\r\n").unwrap();
    }
    std::thread::sleep(Duration::from_millis(200));
    let mut third = server.connect();
    let said = reply(&mut third);
    assert!(said.status == 503 && said.body.contains("2 are asking already"), "{}", said.body);
    drop((held, third));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.get("/health").status, 200);
}

/// What has begun is finished, and then the server ends.
#[test]
#[cfg(unix)]
fn stopping_finishes_what_is_begun() {
    let place = shop();
    for signal in ["-TERM", "-INT"] {
        let mut server = start(&place, &[]);
        let text = request("text/csv", NEW);
        let (first, rest) = text.split_at(text.len() - 5);
        let mut begun = server.connect();
        begun.write_all(first.as_bytes()).unwrap();
        let idle = server.connect();
        std::thread::sleep(Duration::from_millis(200));
        server.signal(signal);
        std::thread::sleep(Duration::from_millis(300));
        begun.write_all(rest.as_bytes()).unwrap();
        let said = reply(&mut begun);
        assert!(said.status == 200 && said.head.contains("Connection: close"), "{}", said.head);
        let status = server.child.wait().unwrap();
        assert_eq!(status.code(), Some(0));
        assert!(TcpStream::connect(&server.address).is_err());
        drop(idle);
    }
}

#[test]
fn a_port_that_is_taken_is_told() {
    let place = shop();
    let server = start(&place, &[]);
    let port = server.address.rsplit(':').next().unwrap();
    let said = place.nnc(&["serve", "run", "--port", port]);
    assert!(said.code == 2 && said.err.contains("cannot listen at 127.0.0.1"), "{}", said.err);
    assert_eq!(place.nnc(&["serve", "nothing"]).code, 2);
}

/// A request about a series is answered window by window, as a file is.
#[test]
fn windows_of_a_series() {
    let place = Place::new();
    let rows: String = (1..=20).map(|i| format!("{i}.0,{}\n", 10 * i)).collect();
    place.write("s.csv", &format!("a,y\n{rows}"));
    place.write(
        "w.nn",
        "data \"s.csv\" window=3 horizon=1 { input a standardize; target y }\nflatten\ndense 1\nloss mse\nepochs 1\n",
    );
    place.nnc(&["train", "w.nn", "-q", "--out", "run"]).fine();
    place.write("new.csv", "a\n1\n2\n3\n4\n5\n");
    let file = place.nnc(&["predict", "run", "--data", "new.csv"]).fine();
    let server = start(&place, &[]);
    assert_eq!(server.post("text/csv", "a\n1\n2\n3\n4\n5\n").body, file);
    let few = server.post("text/csv", "a\n1\n2\n");
    assert!(few.status == 400 && few.body.contains("too few rows for a window of 3"), "{}", few.body);
}
