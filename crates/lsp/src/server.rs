//! The loop that speaks the protocol: documents, and a thread that looks at them.
//!
//! What is asked about a place is answered at once, from the text and from what was seen of it last. What takes time,
//! reading data and building graphs, is done by one other thread: it waits until nothing is typed for a moment, takes the
//! newest text, and what it finds about an older one is not shown.

use crate::actions::{actions, changes, fix_all, format};
use crate::completion::completion;
use crate::diagnostics::diagnostics;
use crate::document::{Document, Job, Seen};
use crate::hints::hints;
use crate::hover::hover;
use crate::library::{Library, Pages};
use crate::names::{Place, definition, highlights, prepare_rename, references, rename};
use crate::prelude;
use crate::semantic::{legend, semantic_tokens};
use crate::symbols::symbols;
use crate::text::Text;
use crate::uri::{path_of, uri_of};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, select, unbounded};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types as lsp;
use lsp_types::Uri;
use nnc_train::DataCache;
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

/// So long nothing must be typed before a program is looked at.
const QUIET: Duration = Duration::from_millis(60);
/// A question that wants what is being looked at waits for it so long.
const PATIENCE: Duration = Duration::from_millis(30);

/// What the server can do.
pub fn capabilities() -> lsp::ServerCapabilities {
    let sync = lsp::TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(lsp::TextDocumentSyncKind::INCREMENTAL),
        save: Some(lsp::TextDocumentSyncSaveOptions::Supported(true)),
        ..lsp::TextDocumentSyncOptions::default()
    };
    let kinds = vec![lsp::CodeActionKind::QUICKFIX, lsp::CodeActionKind::SOURCE_FIX_ALL];
    let tokens = lsp::SemanticTokensOptions {
        legend: legend(),
        full: Some(lsp::SemanticTokensFullOptions::Bool(true)),
        ..lsp::SemanticTokensOptions::default()
    };
    lsp::ServerCapabilities {
        text_document_sync: Some(lsp::TextDocumentSyncCapability::Options(sync)),
        hover_provider: Some(lsp::HoverProviderCapability::Simple(true)),
        completion_provider: Some(lsp::CompletionOptions {
            trigger_characters: Some([" ", "=", ">", "("].map(String::from).to_vec()),
            ..lsp::CompletionOptions::default()
        }),
        definition_provider: Some(lsp::OneOf::Left(true)),
        references_provider: Some(lsp::OneOf::Left(true)),
        document_highlight_provider: Some(lsp::OneOf::Left(true)),
        document_symbol_provider: Some(lsp::OneOf::Left(true)),
        document_formatting_provider: Some(lsp::OneOf::Left(true)),
        rename_provider: Some(lsp::OneOf::Right(lsp::RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: lsp::WorkDoneProgressOptions::default(),
        })),
        code_action_provider: Some(lsp::CodeActionProviderCapability::Options(lsp::CodeActionOptions {
            code_action_kinds: Some(kinds),
            ..lsp::CodeActionOptions::default()
        })),
        inlay_hint_provider: Some(lsp::OneOf::Left(true)),
        semantic_tokens_provider: Some(lsp::SemanticTokensServerCapabilities::SemanticTokensOptions(tokens)),
        ..lsp::ServerCapabilities::default()
    }
}

/// What goes wrong with the connection.
pub type Failed = Box<dyn Error + Send + Sync>;

/// Serves one editor through stdin and stdout, until it says that it is enough.
///
/// # Errors
/// The connection breaks, or what comes is not the protocol.
pub fn serve(pages: Pages) -> Result<(), Failed> {
    let (connection, threads) = Connection::stdio();
    let served = run(&connection, pages);
    // Its threads end when nobody can send to them any more.
    drop(connection);
    served?;
    threads.join()?;
    Ok(())
}

fn run(connection: &Connection, pages: Pages) -> Result<(), Failed> {
    let (id, _) = connection.initialize_start()?;
    let about = lsp::InitializeResult {
        capabilities: capabilities(),
        server_info: Some(lsp::ServerInfo {
            name: "nnc".into(),
            version: Some(env!("CARGO_PKG_VERSION").into()),
        }),
    };
    connection.initialize_finish(id, serde_json::to_value(about)?)?;
    let (jobs, wanted) = unbounded();
    let (found, results) = unbounded();
    thread::Builder::new().name("look".into()).stack_size(STACK).spawn(move || looking(&wanted, &found))?;
    let library = Rc::new(Library::with_pages(pages));
    let mut server = Server {
        connection,
        jobs,
        results: results.clone(),
        documents: BTreeMap::new(),
        library,
        cache: DataCache::without_stdin(),
    };
    loop {
        select! {
            recv(connection.receiver) -> message => match message {
                Ok(Message::Request(request)) => {
                    if connection.handle_shutdown(&request)? {
                        return Ok(());
                    }
                    server.request(request)?;
                }
                Ok(Message::Notification(notification)) => server.notification(notification)?,
                Ok(Message::Response(_)) => {}
                // The editor is gone.
                Err(_) => return Ok(()),
            },
            recv(results) -> result => match result {
                Ok((uri, seen)) => server.seen(&uri, seen)?,
                Err(_) => return Err("the thread that looks at programs has ended".into()),
            },
        }
    }
}

/// Programs are followed by recursion, as deep as the main thread of the command line can.
const STACK: usize = 16 << 20;

/// What is to be looked at, and what was found: programs by their addresses.
type Jobs = (String, Job);
type Results = (String, Seen);

/// Looks at programs, the newest text of each, when nothing was typed for a moment.
fn looking(wanted: &Receiver<Jobs>, found: &Sender<Results>) {
    let mut cache = DataCache::without_stdin();
    let mut waiting: BTreeMap<String, Job> = BTreeMap::new();
    loop {
        if waiting.is_empty() {
            let Ok((uri, job)) = wanted.recv() else { return };
            waiting.insert(uri, job);
        }
        loop {
            match wanted.recv_timeout(QUIET) {
                Ok((uri, job)) => {
                    waiting.insert(uri, job);
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        while let Some((uri, job)) = waiting.pop_first() {
            // A mistake in here costs an answer, never the editor's session.
            let seen = catch_unwind(AssertUnwindSafe(|| job.look(&mut cache)));
            match seen {
                Ok(seen) => {
                    if found.send((uri, seen)).is_err() {
                        return;
                    }
                }
                Err(_) => cache = DataCache::without_stdin(),
            }
            while let Ok((uri, job)) = wanted.try_recv() {
                waiting.insert(uri, job);
            }
        }
    }
}

struct Server<'c> {
    connection: &'c Connection,
    jobs: Sender<Jobs>,
    results: Receiver<Results>,
    documents: BTreeMap<String, Document>,
    library: Rc<Library>,
    /// For what is mended at once.
    cache: DataCache,
}

type Done = Result<(), Failed>;

impl Server<'_> {
    fn notify<N: lsp::notification::Notification>(&self, params: N::Params) -> Done {
        self.connection.sender.send(Notification::new(N::METHOD.into(), params).into())?;
        Ok(())
    }

    // ---- documents ---------------------------------------------------------------------

    fn notification(&mut self, notification: Notification) -> Done {
        use lsp::notification::{
            DidChangeTextDocument, DidChangeWatchedFiles, DidCloseTextDocument, DidOpenTextDocument,
            DidSaveTextDocument, Notification as _,
        };
        let Notification { method, params } = notification;
        match method.as_str() {
            DidOpenTextDocument::METHOD => {
                let Ok(params) = serde_json::from_value::<lsp::DidOpenTextDocumentParams>(params) else {
                    return Ok(());
                };
                let opened = params.text_document;
                let name = name_of(&opened.uri);
                let text = Text::new(opened.text);
                let document = Document::open(name, opened.version, text, self.library.clone());
                let uri = opened.uri.as_str().to_string();
                self.documents.insert(uri.clone(), document);
                self.look(&uri)
            }
            DidChangeTextDocument::METHOD => {
                let Ok(params) = serde_json::from_value::<lsp::DidChangeTextDocumentParams>(params) else {
                    return Ok(());
                };
                let uri = params.text_document.uri.as_str();
                let Some(document) = self.documents.get_mut(uri) else { return Ok(()) };
                let text = document.text.clone();
                let text = params.content_changes.iter().fold(text, |text, change| text.changed(change));
                document.set(params.text_document.version, text);
                self.look(uri)
            }
            DidCloseTextDocument::METHOD => {
                let Ok(params) = serde_json::from_value::<lsp::DidCloseTextDocumentParams>(params) else {
                    return Ok(());
                };
                let uri = params.text_document.uri;
                self.documents.remove(uri.as_str());
                self.notify::<lsp::notification::PublishDiagnostics>(lsp::PublishDiagnosticsParams::new(
                    uri,
                    Vec::new(),
                    None,
                ))
            }
            // A file that programs use, or data, may be another one now.
            DidSaveTextDocument::METHOD | DidChangeWatchedFiles::METHOD => {
                let all: Vec<String> = self.documents.keys().cloned().collect();
                all.iter().try_for_each(|uri| self.look(uri))
            }
            _ => Ok(()),
        }
    }

    /// Has a program looked at; those of the library are right.
    fn look(&self, uri: &str) -> Done {
        let Some(document) = self.documents.get(uri) else { return Ok(()) };
        if prelude::is_prelude(Path::new(&document.name)) {
            return Ok(());
        }
        self.jobs.send((uri.to_string(), document.job()))?;
        Ok(())
    }

    /// Takes what was found, and shows it where it is about the present text.
    fn seen(&mut self, uri: &str, seen: Seen) -> Done {
        let Some(document) = self.documents.get_mut(uri) else { return Ok(()) };
        document.seen = Some(seen);
        if !document.is_current() {
            return Ok(());
        }
        let Ok(address) = uri.parse::<Uri>() else { return Ok(()) };
        let version = document.version;
        let places = Places::of(document, &address);
        let shown = diagnostics(document, &|name| places.find(name));
        self.notify::<lsp::notification::PublishDiagnostics>(lsp::PublishDiagnosticsParams::new(
            address,
            shown,
            Some(version),
        ))
    }

    /// Waits a moment for what is known of the present text.
    fn wait(&mut self, uri: &str) -> Done {
        let until = Instant::now() + PATIENCE;
        while self.documents.get(uri).is_some_and(|d| !d.is_current()) {
            match self.results.recv_deadline(until) {
                Ok((uri, seen)) => self.seen(&uri, seen)?,
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    // ---- questions ---------------------------------------------------------------------

    fn request(&mut self, request: Request) -> Done {
        let Request { id, method, params } = request;
        let answer = match catch_unwind(AssertUnwindSafe(|| self.answer(&method, params))) {
            Ok(answer) => answer,
            Err(_) => Err((ErrorCode::InternalError, "this is a mistake in nnc itself".into())),
        };
        let response = match answer {
            Ok(value) => Response::new_ok(id, value),
            Err((code, message)) => Response::new_err(id, code as i32, message),
        };
        self.connection.sender.send(response.into())?;
        Ok(())
    }

    fn answer(&mut self, method: &str, params: Value) -> Result<Value, (ErrorCode, String)> {
        use lsp::request as r;
        use lsp::request::Request as _;
        match method {
            r::HoverRequest::METHOD => {
                let p: lsp::HoverParams = read(params)?;
                let at = p.text_document_position_params;
                self.waited(&at.text_document.uri);
                value(self.at(&at, hover))
            }
            r::Completion::METHOD => {
                let p: lsp::CompletionParams = read(params)?;
                value(self.at(&p.text_document_position, |d, at| Some(completion(d, at))))
            }
            r::GotoDefinition::METHOD => {
                let p: lsp::GotoDefinitionParams = read(params)?;
                let at = p.text_document_position_params;
                let place = self.at(&at, definition);
                value(place.and_then(|place| self.location(&at.text_document.uri, place)))
            }
            r::References::METHOD => {
                let p: lsp::ReferenceParams = read(params)?;
                let uri = p.text_document_position.text_document.uri.clone();
                let declaration = p.context.include_declaration;
                let found = self.at(&p.text_document_position, |d, at| Some(references(d, at, declaration)));
                let location = |range| lsp::Location::new(uri.clone(), range);
                value(found.map(|ranges| ranges.into_iter().map(location).collect::<Vec<_>>()))
            }
            r::DocumentHighlightRequest::METHOD => {
                let p: lsp::DocumentHighlightParams = read(params)?;
                let found = self.at(&p.text_document_position_params, |d, at| Some(highlights(d, at)));
                let highlight = |range| lsp::DocumentHighlight { range, kind: None };
                value(found.map(|ranges| ranges.into_iter().map(highlight).collect::<Vec<_>>()))
            }
            r::PrepareRenameRequest::METHOD => {
                let p: lsp::TextDocumentPositionParams = read(params)?;
                let found = self.at(&p, prepare_rename);
                value(found.map(|(range, placeholder)| lsp::PrepareRenameResponse::RangeWithPlaceholder {
                    range,
                    placeholder,
                }))
            }
            r::Rename::METHOD => {
                let p: lsp::RenameParams = read(params)?;
                let uri = &p.text_document_position.text_document.uri;
                match self.at(&p.text_document_position, |d, at| Some(rename(d, at, &p.new_name))) {
                    None => Ok(Value::Null),
                    Some(Ok(edits)) => value(changes(uri, edits)),
                    Some(Err(why)) => Err((ErrorCode::InvalidParams, why)),
                }
            }
            r::DocumentSymbolRequest::METHOD => {
                let p: lsp::DocumentSymbolParams = read(params)?;
                value(self.documents.get(p.text_document.uri.as_str()).map(symbols))
            }
            r::Formatting::METHOD => {
                let p: lsp::DocumentFormattingParams = read(params)?;
                value(self.documents.get(p.text_document.uri.as_str()).and_then(format))
            }
            r::InlayHintRequest::METHOD => {
                let p: lsp::InlayHintParams = read(params)?;
                self.waited(&p.text_document.uri);
                let lines = p.range.start.line as usize..(p.range.end.line as usize).saturating_add(1);
                value(self.documents.get(p.text_document.uri.as_str()).map(|d| hints(d, lines)))
            }
            r::SemanticTokensFullRequest::METHOD => {
                let p: lsp::SemanticTokensParams = read(params)?;
                let tokens = |d: &Document| lsp::SemanticTokens { result_id: None, data: semantic_tokens(d) };
                value(self.documents.get(p.text_document.uri.as_str()).map(tokens))
            }
            r::CodeActionRequest::METHOD => {
                let p: lsp::CodeActionParams = read(params)?;
                self.waited(&p.text_document.uri);
                value(self.actions(&p))
            }
            _ => Err((ErrorCode::MethodNotFound, format!("`{method}` is not answered here"))),
        }
    }

    fn waited(&mut self, uri: &Uri) {
        // A connection that broke is told of by the next message.
        let _ = self.wait(uri.as_str());
    }

    /// What a function says about a place.
    fn at<T>(
        &self,
        at: &lsp::TextDocumentPositionParams,
        of: impl FnOnce(&Document, lsp::Position) -> Option<T>,
    ) -> Option<T> {
        of(self.documents.get(at.text_document.uri.as_str())?, at.position)
    }

    fn location(&self, uri: &Uri, place: Place) -> Option<lsp::Location> {
        match place {
            Place::Here(range) => Some(lsp::Location::new(uri.clone(), range)),
            Place::In(name, range) => {
                let document = self.documents.get(uri.as_str())?;
                Some(lsp::Location::new(Places::of(document, uri).find(&name)?, range))
            }
            Place::File(path) => {
                let file = self.documents.get(uri.as_str())?.base.join(path);
                file.is_file().then(|| Some(lsp::Location::new(uri_of(&file)?, lsp::Range::default())))?
            }
        }
    }

    fn actions(&mut self, params: &lsp::CodeActionParams) -> Option<Vec<lsp::CodeActionOrCommand>> {
        let uri = &params.text_document.uri;
        let document = self.documents.get(uri.as_str())?;
        let only = params.context.only.as_deref();
        let asks = |kind: &lsp::CodeActionKind| {
            let holds = |o: &str| kind.as_str() == o || kind.as_str().starts_with(&format!("{o}."));
            only.is_some_and(|only| only.iter().any(|o| holds(o.as_str())))
        };
        let mut out = Vec::new();
        if only.is_none() || asks(&lsp::CodeActionKind::QUICKFIX) {
            let places = Places::of(document, uri);
            out = actions(document, uri, params.range, &|name| places.find(name));
        }
        // It looks at the program several times, so only who asks for it gets it.
        if asks(&lsp::CodeActionKind::SOURCE_FIX_ALL) {
            out.extend(fix_all(document, uri, &mut self.cache));
        }
        Some(out.into_iter().map(lsp::CodeActionOrCommand::CodeAction).collect())
    }
}

/// The addresses of the texts of a program.
struct Places<'d> {
    document: &'d Document,
    uri: &'d Uri,
}

impl<'d> Places<'d> {
    fn of(document: &'d Document, uri: &'d Uri) -> Self {
        Self { document, uri }
    }

    fn find(&self, name: &str) -> Option<Uri> {
        if name == self.document.name {
            return Some(self.uri.clone());
        }
        prelude::file(name).or_else(|| uri_of(&self.document.base.join(name)))
    }
}

/// What a program is called: its path, or its address where it has none yet.
fn name_of(uri: &Uri) -> String {
    let path = path_of(uri).and_then(|path| path.to_str().map(String::from));
    path.unwrap_or_else(|| uri.as_str().to_string())
}

fn read<T: serde::de::DeserializeOwned>(params: Value) -> Result<T, (ErrorCode, String)> {
    serde_json::from_value(params).map_err(|e| (ErrorCode::InvalidParams, e.to_string()))
}

fn value(of: impl serde::Serialize) -> Result<Value, (ErrorCode, String)> {
    serde_json::to_value(of).map_err(|e| (ErrorCode::InternalError, e.to_string()))
}
