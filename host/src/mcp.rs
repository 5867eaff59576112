//! The Model Context Protocol: tools over a pipe or over HTTP, both of its eras. Nothing else writes to standard output.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use ::http::request::Parts;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestMethod, CompleteRequestParams, CompleteResult, CustomRequest,
    CustomResult, DiscoverResult, ErrorCode, ErrorData, Implementation, ListPromptsRequestMethod, ListPromptsResult,
    ListResourceTemplatesRequestMethod, ListResourceTemplatesResult, ListResourcesRequestMethod, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, ProgressNotificationParam, ProgressToken, ProtocolVersion, ReadResourceRequestMethod,
    ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig, SubscribeRequestParams, SubscriptionFilter,
    UnsubscribeRequestParams,
};
use rmcp::service::{NotificationContext, Peer, RequestContext, RoleServer, ServiceExt, SubscriptionContext};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::CancellationToken;

use crate::author::client_name;
use crate::directory::Directory;
use crate::limits::{CLIENT_TITLE_MAX_CHARS, PROGRESS_EVERY, RESOURCES_WATCHED_MAX, WAIT_MAX_S};

use self::news::Heard;
use self::pipe::Pipe;
use self::tools::{Arguments, INSTRUCTIONS};

mod approval;
mod bounds;
pub mod calls;
mod conceal;
mod desk;
mod files;
mod fleet;
mod forward;
mod handover;
mod health;
pub mod history;
pub mod http;
mod info;
mod interrupt;
mod lists;
mod lock;
mod news;
mod opening;
mod output;
pub mod pipe;
mod programs;
pub mod reply;
mod resources;
pub mod tools;
mod transfer;

/// How long a client may keep its list of tools, in milliseconds. It changes with the configuration only, and then clients are told.
const LIST_TTL_MS: u64 = 300_000;
/// How long a call of a client may wait that is known to wait for minutes when it sees progress.
const PATIENT_WAIT_MAX_S: f64 = 240.0;

/// Serves one connection until it ends.
///
/// # Errors
///
/// When the other side does not speak the protocol.
pub async fn serve<R, W>(directory: Arc<Directory>, read: R, write: W) -> Result<(), String>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let server = Server::new(directory);
    let pipe = Pipe::new(read, write, Arc::clone(&server.has_said_all));
    let running = server.serve(pipe).await.map_err(|error| error.to_string())?;
    running.waiting().await.map(drop).map_err(|error| error.to_string())
}

/// The protocol's handler, one for each connection.
#[derive(Debug, Clone)]
pub struct Server {
    directory: Arc<Directory>,
    heard: Arc<Heard>,
    /// The client has gone, or says nothing more: calls that are cancelled from then on are so by nobody.
    has_said_all: Arc<AtomicBool>,
    forerunner: Arc<Forerunner>,
}

impl Server {
    /// For one connection, to the tools of this directory.
    #[must_use]
    pub fn new(directory: Arc<Directory>) -> Self {
        Self { directory, heard: Arc::default(), has_said_all: Arc::default(), forerunner: Arc::default() }
    }

    /// For another connection to the same tools.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { heard: Arc::default(), has_said_all: Arc::default(), ..self.clone() }
    }
}

/// Is the client of the era without a handshake?
fn is_newer(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

/// How persons know a client: by its title where it has one, with its name.
fn label(client: &Implementation) -> String {
    let title = client.title.iter().flat_map(|title| title.chars()).filter(|letter| !letter.is_control());
    let title: String = title.take(CLIENT_TITLE_MAX_CHARS).collect();
    let name = client_name(&client.name);
    if title.is_empty() || title == name { name } else { format!("{title} ({name})") }
}

/// What a call knows of its caller.
pub struct Caller {
    /// The client's name as it says it.
    pub name: String,
    /// How long it lets a call wait, in seconds.
    pub ceiling_s: f64,
    progress: Option<(Peer<RoleServer>, ProgressToken)>,
    /// How often it was told that its call goes on: what a call waits for, at once or one after the other, has one count, which has to grow.
    told: AtomicU32,
    cancelled: CancellationToken,
    /// It can say that it gives up a call. Over HTTP the newer era has no word for it, and a connection that breaks looks the same.
    has_word: bool,
    has_said_all: Arc<AtomicBool>,
    forerunner: Arc<Forerunner>,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Caller {
    fn of(context: &RequestContext<RoleServer>, server: &Server) -> Self {
        let name = context.client_info().map_or_else(|| "unknown".to_owned(), |client| client_name(&client.name));
        let token = context.meta.get_progress_token();
        let patient = token.is_some() && name == "claude-code";
        Self {
            ceiling_s: if patient { PATIENT_WAIT_MAX_S } else { WAIT_MAX_S },
            progress: token.map(|token| (context.peer.clone(), token)),
            told: AtomicU32::new(0),
            cancelled: context.ct.clone(),
            has_said_all: Arc::clone(&server.has_said_all),
            forerunner: Arc::clone(&server.forerunner),
            has_word: !(is_newer(context) && context.extensions.get::<Parts>().is_some()),
            name,
        }
    }

    /// Of what goes on when its call is over: what it waits for is given up, and stopped, when this is cancelled.
    fn absent(name: &str, cancelled: CancellationToken) -> Self {
        let (has_word, has_said_all, told, forerunner) = (true, Arc::default(), AtomicU32::new(0), Arc::default());
        Self { name: name.to_owned(), ceiling_s: WAIT_MAX_S, progress: None, told, cancelled, has_word, has_said_all, forerunner }
    }

    /// Waits for the work, at most so long, telling the client every now and then that it goes on. `None` when the time is over
    /// or the client has given up.
    pub async fn wait<T>(&self, limit: Duration, what: impl Fn() -> String, work: impl Future<Output = T>) -> Option<T> {
        Patience::new(self).wait(limit, what, work).await
    }

    async fn tell(&self, message: String) {
        if let Some((peer, token)) = &self.progress {
            let count = self.told.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            let progress = ProgressNotificationParam::new(token.clone(), f64::from(count)).with_message(message);
            // A client that has gone is noticed elsewhere.
            let _ = peer.notify_progress(progress).await;
        }
    }
}

/// A timer, set every now and then, that fires before those of calls: of many short calls in a row none has one that is the next to fire.
/// Nobody waits for it.
#[derive(Debug, Default)]
struct Forerunner(Mutex<Option<Pin<Box<Sleep>>>>);

impl Forerunner {
    fn set(&self) {
        let mut timer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if timer.as_ref().is_some_and(|timer| timer.deadline() > Instant::now()) {
            return;
        }
        let next = timer.insert(Box::pin(sleep(PROGRESS_EVERY)));
        // It counts from here on.
        let _ = next.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
}

/// Waits for the parts of one call.
///
/// A call has one timer for all of them: each new one that is the next to fire wakes the runtime by a system call.
pub struct Patience<'a> {
    caller: &'a Caller,
    timer: Pin<Box<Sleep>>,
}

impl std::fmt::Debug for Patience<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Patience").finish_non_exhaustive()
    }
}

impl<'a> Patience<'a> {
    /// For a call that has just come.
    #[must_use]
    pub fn new(caller: &'a Caller) -> Self {
        caller.forerunner.set();
        Self { caller, timer: Box::pin(sleep(PROGRESS_EVERY)) }
    }

    /// Has the client cancelled the call? One that has only gone has not: what it began goes on.
    #[must_use]
    pub fn has_given_up(&self) -> bool {
        let has_gone = self.caller.has_said_all.load(Ordering::Acquire);
        self.caller.has_word && !has_gone && self.caller.cancelled.is_cancelled()
    }

    /// As [`Caller::wait`].
    pub async fn wait<T>(&mut self, limit: Duration, what: impl Fn() -> String, work: impl Future<Output = T>) -> Option<T> {
        let end = Instant::now() + limit;
        let mut work = pin!(work);
        loop {
            if self.timer.deadline() > end {
                self.timer.as_mut().reset(end);
            }
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                () = self.caller.cancelled.cancelled() => return None,
                () = &mut self.timer => {
                    let now = Instant::now();
                    self.timer.as_mut().reset(now + PROGRESS_EVERY);
                    if now >= end {
                        return None;
                    }
                    self.caller.tell(what()).await;
                }
            }
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let offers = ServerCapabilities::builder().enable_tools().enable_tool_list_changed();
        let offers = match resources::are_offered(&self.directory.world().config) {
            true => offers.enable_resources().enable_resources_list_changed().enable_resources_subscribe().build(),
            false => offers.build(),
        };
        ServerConfig::new(offers)
            .with_server_info(Implementation::new("jackfield", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.get_info()).with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Public))
    }

    async fn list_tools(&self, _: Option<PaginatedRequestParams>, _: RequestContext<RoleServer>) -> Result<ListToolsResult, ErrorData> {
        let config = Arc::clone(&self.directory.world().config);
        let offered = tools::listed().iter().filter(|tool| config.tools.offers(&tool.name));
        let tools = ListToolsResult::with_all_items(offered.cloned().collect());
        Ok(tools.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Public))
    }

    async fn call_tool(&self, request: CallToolRequestParams, context: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        let config = Arc::clone(&self.directory.world().config);
        let Some(definition) = tools::offered(&config.tools).find(|tool| tool.name == request.name) else {
            return Err(ErrorData::invalid_params(tools::unknown(&request.name, &config.tools), None));
        };
        let caller = Caller::of(&context, self);
        approval::take(self.directory.approvals(), &request, &context, &caller.name);
        let state = request.request_state;
        let arguments = match Arguments::check(definition, request.arguments.unwrap_or_default()) {
            Ok(arguments) => arguments,
            Err(message) => return Ok(reply::Reply::failed(&message).into_result().into()),
        };
        let mut reply = calls::call(&self.directory, &caller, definition.name, &arguments).await;
        if !reply.approvals.is_empty() {
            match approval::way(&context) {
                approval::Way::None => {}
                approval::Way::Again if approval::is_undecided(state.as_deref(), &reply.approvals) => reply = approval::unanswered(reply),
                approval::Way::Again => {
                    if let Some(asked) = approval::ask_again(&reply.approvals) {
                        return Ok(asked.into());
                    }
                }
                approval::Way::Within => {
                    if approval::ask_within(self.directory.approvals(), &reply.approvals, &context).await {
                        reply = calls::call(&self.directory, &caller, definition.name, &arguments).await;
                    } else {
                        reply = approval::unanswered(reply);
                    }
                }
            }
        }
        Ok(reply.into_result().into())
    }

    /// What the library cannot read as one of its requests comes here, also where the method is known and the parameters are wrong.
    async fn on_custom_request(&self, request: CustomRequest, _: RequestContext<RoleServer>) -> Result<CustomResult, ErrorData> {
        match request.method.as_str() {
            "tools/call" => Err(ErrorData::invalid_params(tools::misshapen(request.params.as_ref()), None)),
            "resources/read" | "resources/subscribe" | "resources/unsubscribe"
                if resources::are_offered(&self.directory.world().config) =>
            {
                let why = format!("{} needs `uri`, a text: an address that resources/list tells", request.method);
                Err(ErrorData::invalid_params(why, None))
            }
            _ => Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, request.method, None)),
        }
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        if !resources::are_offered(&self.directory.world().config) {
            return Err(ErrorData::method_not_found::<ListResourcesRequestMethod>());
        }
        Ok(resources::list(&self.directory, page.and_then(|page| page.cursor).as_deref()))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let config = Arc::clone(&self.directory.world().config);
        if !resources::are_offered(&config) {
            return Err(ErrorData::method_not_found::<ListResourceTemplatesRequestMethod>());
        }
        Ok(resources::templates(&config))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        if !resources::are_offered(&self.directory.world().config) {
            return Err(ErrorData::method_not_found::<ReadResourceRequestMethod>());
        }
        resources::read(&self.directory, &Caller::of(&context, self), &request.uri).await.map(Into::into)
    }

    // News, in both eras.

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        self.heard.lists(&self.directory, &context.peer);
    }

    async fn subscribe(&self, request: SubscribeRequestParams, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        let watched = self.heard.watch(&self.directory, &context.peer, &request.uri);
        watched.map_err(|why| ErrorData::resource_not_found(why, Some(json!({"uri": request.uri}))))
    }

    async fn unsubscribe(&self, request: UnsubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.heard.unwatch(&request.uri);
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let config = Arc::clone(&self.directory.world().config);
        let mut accepted = requested.clone();
        if let Some(uris) = &mut accepted.resource_subscriptions {
            uris.retain(|uri| resources::can_be(&config, uri));
            uris.truncate(RESOURCES_WATCHED_MAX);
        }
        if !resources::are_offered(&config) {
            accepted.resources_list_changed = None;
        }
        Some(accepted)
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        news::stream(&self.directory, &subscription).await;
        Ok(())
    }

    // Answered by default although nothing of the kind is offered: say so instead.

    async fn list_prompts(&self, _: Option<PaginatedRequestParams>, _: RequestContext<RoleServer>) -> Result<ListPromptsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListPromptsRequestMethod>())
    }

    async fn complete(&self, _: CompleteRequestParams, _: RequestContext<RoleServer>) -> Result<CompleteResult, ErrorData> {
        Err(ErrorData::method_not_found::<CompleteRequestMethod>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_is_set_fires_before_those_of_later_calls() {
        let forerunner = Forerunner::default();
        let deadline = || forerunner.0.lock().unwrap().as_ref().unwrap().deadline();
        forerunner.set();
        let first = deadline();
        for _ in 0..3 {
            sleep(PROGRESS_EVERY / 4).await;
            forerunner.set();
            assert_eq!(deadline(), first);
        }
        sleep(PROGRESS_EVERY / 2).await;
        assert!(forerunner.0.lock().unwrap().as_ref().unwrap().is_elapsed());
        forerunner.set();
        assert_eq!(deadline(), Instant::now() + PROGRESS_EVERY);
    }

    #[test]
    fn a_client_is_known_by_its_title_and_its_name() {
        let client = |title: &str| label(&Implementation::new("claude-code", "2").with_title(title));
        assert_eq!(client("Claude Code"), "Claude Code (claude-code)");
        assert_eq!(client("A\nB\u{1b}[2J"), "AB[2J (claude-code)");
        assert_eq!(client(&"x".repeat(1000)).len(), CLIENT_TITLE_MAX_CHARS + " (claude-code)".len());
        assert_eq!(label(&Implementation::new("claude-code", "2")), "claude-code");
    }
}
