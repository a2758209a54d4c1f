//! `nnc lsp`: a session of an editor over stdin and stdout, and that it says what `nnc check` says.
#![cfg(feature = "lsp")]
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, command, run};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout};

/// An editor.
struct Editor {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    asked: i64,
    /// Notifications that came while an answer was waited for.
    told: Vec<Value>,
}

impl Editor {
    fn start(folder: &Path) -> Self {
        let mut child =
            command(folder, &["lsp"]).env("XDG_CACHE_HOME", folder.join("cache")).spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut editor = Self { child, to, from, asked: 0, told: Vec::new() };
        let able =
            editor.ask("initialize", json!({ "processId": null, "rootUri": null, "capabilities": {} }));
        assert_eq!(able["capabilities"]["hoverProvider"], true);
        assert_eq!(able["capabilities"]["textDocumentSync"]["change"], 2);
        editor.tell("initialized", json!({}));
        editor
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.to.flush().unwrap();
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.from.read_line(&mut line).unwrap() > 0, "the server ended");
            if let Some(n) = line.trim().strip_prefix("Content-Length: ") {
                length = n.parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.from.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// The whole answer to a question.
    fn answer(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let message = self.receive();
            if message["id"] == id {
                return message;
            }
            self.told.push(message);
        }
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, params);
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].clone()
    }

    /// The diagnostics of a version of a file.
    fn diagnostics(&mut self, uri: &str, version: i64) -> Vec<Value> {
        loop {
            let is = |m: &Value| m["params"]["uri"] == uri && m["params"]["version"] == version;
            if let Some(at) = self.told.iter().position(is) {
                return self.told.remove(at)["params"]["diagnostics"].as_array().unwrap().clone();
            }
            let message = self.receive();
            self.told.push(message);
        }
    }

    fn open(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "nn", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    fn end(mut self) {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        let code = self.child.wait().unwrap().code();
        assert_eq!(code, Some(0));
        let mut rest = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "nothing is said beside the protocol");
    }
}

fn at(uri: &str, line: u32, character: u32) -> Value {
    json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": character } })
}

fn range(line: u32, from: u32, to: u32) -> Value {
    json!({ "start": { "line": line, "character": from }, "end": { "line": line, "character": to } })
}

#[test]
fn a_session() {
    let place = Place::new();
    place.write("xor.nn", "");
    let uri = format!("file://{}", place.path("xor.nn").display());
    let uri = uri.as_str();
    let mut editor = Editor::start(&place.path(""));

    // Opened, with a misspelt word behind characters that UTF-8, UTF-16 and people count differently.
    let text = "# größe 𝒳\ndata xor\nh = dens 8 tanh\nh -> dense 1   sigmoid\nloss mse\n";
    editor.open(uri, text);
    let found = editor.diagnostics(uri, 1);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["code"], "N0201");
    assert_eq!(found[0]["range"], range(2, 4, 8));
    assert_eq!(found[0]["severity"], 1);

    // The remedy of it.
    let asked =
        json!({ "textDocument": { "uri": uri }, "range": range(2, 5, 5), "context": { "diagnostics": [] } });
    let actions = editor.ask("textDocument/codeAction", asked);
    assert_eq!(actions[0]["title"], "Write `dense` instead of `dens`");
    let edit = actions[0]["edit"]["changes"][uri][0].clone();
    assert_eq!(edit, json!({ "range": range(2, 4, 8), "newText": "dense" }));
    let asked = json!({
        "textDocument": { "uri": uri }, "range": range(0, 0, 0),
        "context": { "diagnostics": [], "only": ["source.fixAll"] },
    });
    assert_eq!(editor.ask("textDocument/codeAction", asked)[0]["kind"], "source.fixAll");

    // Applied.
    let change = json!({ "range": edit["range"], "text": edit["newText"] });
    let document = json!({ "uri": uri, "version": 2 });
    editor.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
    let found = editor.diagnostics(uri, 2);
    assert!(found.iter().all(|d| d["severity"] != 1), "{found:?}");

    let hover = editor.ask("textDocument/hover", at(uri, 2, 6));
    let said = hover["contents"]["value"].as_str().unwrap();
    assert!(
        said.contains("**dense**: layer") && said.contains("2 → **8** for one sample; 24 weights"),
        "{said}"
    );
    assert_eq!(hover["range"], range(2, 4, 9));
    let hover = editor.ask("textDocument/hover", at(uri, 4, 1));
    assert!(hover["contents"]["value"].as_str().unwrap().starts_with("**loss**"), "{hover}");

    let hints = editor.ask(
        "textDocument/inlayHint",
        json!({ "textDocument": { "uri": uri }, "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 9, "character": 0 } } }),
    );
    let labels: Vec<&str> = hints.as_array().unwrap().iter().map(|h| h["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["8", "1"]);

    // Typed on: what is offered is so at once.
    let change = json!({ "range": range(5, 0, 0), "text": "optimizer adam " });
    let document = json!({ "uri": uri, "version": 3 });
    editor.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
    let offered = editor.ask("textDocument/completion", at(uri, 5, 15));
    let labels: Vec<&str> =
        offered.as_array().unwrap().iter().map(|i| i["label"].as_str().unwrap()).collect();
    assert!(labels.contains(&"lr=") && !labels.contains(&"units="), "{labels:?}");

    let definition = editor.ask("textDocument/definition", at(uri, 3, 0));
    assert_eq!(definition, json!({ "uri": uri, "range": range(2, 0, 1) }));
    let definition = editor.ask("textDocument/definition", at(uri, 3, 6));
    let path = definition["uri"].as_str().unwrap().strip_prefix("file://").unwrap();
    let prelude = std::fs::read_to_string(path).unwrap();
    let line = definition["range"]["start"]["line"].as_u64().unwrap() as usize;
    assert!(prelude.lines().nth(line).unwrap().starts_with("layer dense("), "{definition}");

    let mut asked = at(uri, 3, 0);
    asked["newName"] = "hidden".into();
    let edits = editor.ask("textDocument/rename", asked.clone())["changes"][uri].clone();
    let wanted = [(range(2, 0, 1), "hidden"), (range(3, 0, 1), "hidden")];
    let wanted: Vec<Value> =
        wanted.iter().map(|(range, text)| json!({ "range": range, "newText": text })).collect();
    assert_eq!(edits, Value::Array(wanted));
    asked["newName"] = "conv".into();
    let refused = editor.answer("textDocument/rename", asked);
    assert!(refused["error"]["message"].as_str().unwrap().contains("a name of the library"), "{refused}");

    let options =
        json!({ "textDocument": { "uri": uri }, "options": { "tabSize": 2, "insertSpaces": true } });
    let edits = editor.ask("textDocument/formatting", options);
    assert_eq!(edits[0]["newText"], "h -> dense 1 sigmoid\nloss mse\noptimizer adam\n");

    let symbols = editor.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": uri } }));
    assert_eq!(symbols[1]["name"], "h");
    let tokens = editor.ask("textDocument/semanticTokens/full", json!({ "textDocument": { "uri": uri } }));
    assert!(tokens["data"].as_array().unwrap().len() > 20);

    let unknown = editor.answer("textDocument/willSaveWaitUntil", json!({}));
    assert_eq!(unknown["error"]["code"], -32601);
    editor.tell("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    editor.end();
}

fn programs(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path().canonicalize().unwrap());
    let mut out: Vec<PathBuf> = entries.filter(|p| p.extension().is_some_and(|e| e == "nn")).collect();
    out.sort();
    out
}

/// The codes in what is said.
fn codes(said: &str) -> BTreeSet<String> {
    let words = said.split(|c: char| !c.is_ascii_alphanumeric());
    let is = |w: &&str| w.len() == 5 && w.starts_with('N') && w[1..].bytes().all(|b| b.is_ascii_digit());
    words.filter(is).map(String::from).collect()
}

/// What is flattened, so that breaks of lines and drawings do not count.
fn flat(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric() || "`=<>.-+*".contains(*c));
    kept.collect()
}

#[test]
fn it_says_what_check_says() {
    let place = Place::new();
    let mut editor = Editor::start(&place.path(""));
    let all = ["../../specs", "../../tests/programs", "tests/wrong", "tests/mistakes"].map(programs).concat();
    for path in all {
        let text = std::fs::read_to_string(&path).unwrap();
        let ran = run(Path::new("/"), &["check", path.to_str().unwrap()], "");
        let uri = format!("file://{}", path.display());
        editor.open(&uri, &text);
        let found = editor.diagnostics(&uri, 1);
        let said: BTreeSet<String> = found.iter().map(|d| d["code"].as_str().unwrap().to_string()).collect();
        // Of `explain N0123` in a help, both have as many.
        let told: Vec<&str> = found.iter().map(|d| d["message"].as_str().unwrap()).collect();
        let mentioned: BTreeSet<String> = told.iter().flat_map(|m| codes(m)).collect();
        let wanted = codes(&ran.err);
        let both: BTreeSet<String> = said.union(&mentioned).cloned().collect();
        assert_eq!(both, wanted, "{}\n{}\n{found:?}", path.display(), ran.err);
        let errors = found.iter().any(|d| d["severity"] == 1);
        assert_eq!(errors, ran.code != 0, "{}\n{}", path.display(), ran.err);
        let (drawn, first) = (flat(&ran.err), told.iter().map(|m| m.lines().next().unwrap_or("")));
        for line in first.map(flat) {
            let begins: String = line.chars().take(30).collect();
            assert!(drawn.contains(&begins), "{}: {line}\n{}", path.display(), ran.err);
        }
        editor.tell("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    }
    editor.end();
}
