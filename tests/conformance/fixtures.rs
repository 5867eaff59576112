//! The server that the suite drives: ours, and beside it the tools, prompts and resources of fixed names that its scenarios call.
//!
//! What it does not know itself it hands to the product's handler, so that the scenarios which bind a product meet the product.

use std::collections::BTreeMap;
use std::sync::Arc;

use jackfield::config::Config;
use jackfield::directory::{Directory, World};
use jackfield::mcp::Server;
use jackfield::startup;
use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, CompletionInfo, DiscoverResult, ErrorData,
    GetPromptRequestParams, GetPromptResponse, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, ServerConfig, SetLevelRequestMethod,
    SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
};
use rmcp::service::{NotificationContext, RequestContext, RoleServer, SubscriptionContext};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{prompts, resources, tools};

/// What the fixtures of all connections share.
pub struct Shared {
    pub directory: Arc<Directory>,
    /// Rings when the prompts are others.
    pub prompts: watch::Sender<()>,
}

/// The handler of one connection.
#[derive(Clone)]
pub struct Fixtures {
    pub shared: Arc<Shared>,
    server: Server,
}

/// A type of the protocol from what it is on the wire.
pub fn typed<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// Is the peer of the newer era?
pub fn is_newer(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

impl Fixtures {
    pub fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), server: Server::new(Arc::clone(&shared.directory)) }
    }

    /// Puts a configuration in force that offers one tool less, or all of them again, as a reload does.
    pub fn change_tools(&self) {
        let world = self.shared.directory.world();
        let fewer = Config::parse("[tools]\nwithout = [\"ssh_transfer\"]\n", "/jackfield.toml".as_ref(), None).unwrap();
        let config = if world.config.tools == fewer.tools { Config::default() } else { fewer };
        let catalog = startup::catalog_with(&config, world.catalog.loader());
        self.shared.directory.replace_world(Arc::new(World { config: Arc::new(config), catalog, unpinned: BTreeMap::new() }));
    }
}

impl ServerHandler for Fixtures {
    fn get_info(&self) -> ServerConfig {
        let mut info = self.server.get_info();
        let more = [("prompts", json!({"listChanged": true})), ("completions", json!({})), ("logging", json!({}))];
        let mut capabilities = serde_json::to_value(&info.capabilities).unwrap();
        capabilities.as_object_mut().unwrap().extend(more.map(|(name, value)| (name.to_owned(), value)));
        info.capabilities = typed(capabilities);
        info
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let mut discovered = self.server.discover(context).await?;
        discovered.capabilities = self.get_info().capabilities;
        Ok(discovered)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::all().into_iter().find(|tool| tool.name == name)
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut listed = self.server.list_tools(page, context).await?;
        listed.tools.extend(tools::all());
        Ok(listed)
    }

    async fn call_tool(&self, request: CallToolRequestParams, context: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        if self.get_tool(&request.name).is_none() {
            // Boxed: the compiler counts how deep the one lies in the other.
            return Box::pin(self.server.call_tool(request, context)).await;
        }
        tools::call(self, request, context).await
    }

    async fn list_prompts(&self, _: Option<PaginatedRequestParams>, _: RequestContext<RoleServer>) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(prompts::all()))
    }

    async fn get_prompt(&self, request: GetPromptRequestParams, _: RequestContext<RoleServer>) -> Result<GetPromptResponse, ErrorData> {
        prompts::get(&request)
    }

    async fn complete(&self, request: CompleteRequestParams, _: RequestContext<RoleServer>) -> Result<CompleteResult, ErrorData> {
        let words = ["paris", "park", "party", "test"].map(str::to_owned).into_iter();
        let fits = words.filter(|word| word.starts_with(&request.argument.value)).collect();
        Ok(CompleteResult::new(CompletionInfo::with_all_values(fits).unwrap()))
    }

    async fn set_level(&self, _: SetLevelRequestParams, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        if is_newer(&context) { Err(ErrorData::method_not_found::<SetLevelRequestMethod>()) } else { Ok(()) }
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut listed = self.server.list_resources(page, context).await?;
        listed.resources.extend(resources::all());
        Ok(listed)
    }

    async fn list_resource_templates(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let mut listed = self.server.list_resource_templates(page, context).await?;
        listed.resource_templates.push(resources::template());
        Ok(listed)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match resources::read(&request.uri) {
            Some(found) => Ok(found.into()),
            None => Box::pin(self.server.read_resource(request, context)).await,
        }
    }

    async fn subscribe(&self, request: SubscribeRequestParams, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        if request.uri == resources::WATCHED { Ok(()) } else { ServerHandler::subscribe(&self.server, request, context).await }
    }

    async fn unsubscribe(&self, request: UnsubscribeRequestParams, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        ServerHandler::unsubscribe(&self.server, request, context).await
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        self.server.on_initialized(context).await;
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        self.server.accepted_subscription_filter(requested)
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        let (sink, mut changed) = (subscription.sink().clone(), self.shared.prompts.subscribe());
        let wanted = subscription.accepted().prompts_list_changed == Some(true);
        let prompts = async {
            while wanted && changed.changed().await.is_ok() {
                sink.notify_prompt_list_changed().await.unwrap();
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = self.server.listen(subscription) => ended,
            () = prompts => Ok(()),
        }
    }
}
