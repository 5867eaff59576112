//! The Model Context Protocol: tools over one pipe, both of its eras. Nothing else writes to standard output.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestMethod, CompleteRequestParams, CompleteResult, DiscoverResult,
    ErrorData, Implementation, ListPromptsRequestMethod, ListPromptsResult, ListResourceTemplatesResult, ListResourcesRequestMethod,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ProgressToken, ServerCapabilities,
    ServerConfig,
};
use rmcp::service::{Peer, RequestContext, RoleServer, ServiceExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep};

use crate::author::client_name;
use crate::directory::Directory;
use crate::limits::{PROGRESS_EVERY, WAIT_MAX_S};

use self::pipe::Pipe;
use self::tools::{Arguments, INSTRUCTIONS, TOOLS};

mod approval;
mod bounds;
pub mod calls;
mod conceal;
mod files;
mod forward;
mod handover;
mod health;
mod helpers;
pub mod history;
mod lists;
mod lock;
mod opening;
pub mod pipe;
pub mod reply;
pub mod tools;
mod transfer;

/// How long a client may keep its list of tools, in milliseconds: it does not change while the process lives.
const LIST_TTL_MS: u64 = 3_600_000;
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
    let server = Server { directory };
    let running = server.serve(Pipe::new(read, write)).await.map_err(|error| error.to_string())?;
    running.waiting().await.map(drop).map_err(|error| error.to_string())
}

/// The protocol's handler.
#[derive(Debug, Clone)]
struct Server {
    directory: Arc<Directory>,
}

/// What a call knows of its caller.
pub struct Caller {
    /// The client's name as it says it.
    pub name: String,
    /// How long it lets a call wait, in seconds.
    pub ceiling_s: f64,
    progress: Option<(Peer<RoleServer>, ProgressToken)>,
    cancelled: tokio_util::sync::CancellationToken,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Caller {
    fn of(context: &RequestContext<RoleServer>) -> Self {
        let name = context.client_info().map_or_else(|| "unknown".to_owned(), |client| client_name(&client.name));
        let token = context.meta.get_progress_token();
        let patient = token.is_some() && name == "claude-code";
        Self {
            ceiling_s: if patient { PATIENT_WAIT_MAX_S } else { WAIT_MAX_S },
            progress: token.map(|token| (context.peer.clone(), token)),
            cancelled: context.ct.clone(),
            name,
        }
    }

    /// Waits for the work, at most so long, telling the client every now and then that it goes on. `None` when the time is over
    /// or the client has given up.
    pub async fn wait<T>(&self, limit: Duration, what: impl Fn() -> String, work: impl Future<Output = T>) -> Option<T> {
        Patience::new(self).wait(limit, what, work).await
    }

    async fn tell(&self, count: f64, message: String) {
        if let Some((peer, token)) = &self.progress {
            let progress = ProgressNotificationParam::new(token.clone(), count).with_message(message);
            // A client that has gone is noticed elsewhere.
            let _ = peer.notify_progress(progress).await;
        }
    }
}

/// Waits for the parts of one call.
///
/// A call has one timer for all of them: each new one that is the next to fire wakes the runtime by a system call.
pub struct Patience<'a> {
    caller: &'a Caller,
    timer: Pin<Box<Sleep>>,
    told: f64,
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
        Self { caller, timer: Box::pin(sleep(PROGRESS_EVERY)), told: 0.0 }
    }

    /// Has the client cancelled the call?
    #[must_use]
    pub fn has_given_up(&self) -> bool {
        self.caller.cancelled.is_cancelled()
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
                    self.told += 1.0;
                    self.caller.tell(self.told, what()).await;
                }
            }
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("jackfield", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.get_info()).with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Public))
    }

    async fn list_tools(&self, _: Option<PaginatedRequestParams>, _: RequestContext<RoleServer>) -> Result<ListToolsResult, ErrorData> {
        let tools = ListToolsResult::with_all_items(tools::listed().to_vec());
        Ok(tools.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Public))
    }

    async fn call_tool(&self, request: CallToolRequestParams, context: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        let Some(definition) = TOOLS.iter().find(|tool| tool.name == request.name) else {
            let known: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
            let message = format!("there is no tool `{}`; there are: {}", request.name, known.join(", "));
            return Err(ErrorData::invalid_params(message, None));
        };
        let caller = Caller::of(&context);
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

    // Answered by default although nothing of the kind is offered: say so instead.

    async fn list_prompts(&self, _: Option<PaginatedRequestParams>, _: RequestContext<RoleServer>) -> Result<ListPromptsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListPromptsRequestMethod>())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourcesRequestMethod>())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Err(ErrorData::method_not_found::<rmcp::model::ListResourceTemplatesRequestMethod>())
    }

    async fn complete(&self, _: CompleteRequestParams, _: RequestContext<RoleServer>) -> Result<CompleteResult, ErrorData> {
        Err(ErrorData::method_not_found::<CompleteRequestMethod>())
    }
}
