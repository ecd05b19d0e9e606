//! `bauta gateway --config`: runs a gateway with its two jobs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use axum::http::StatusCode;
use gateway::gateway::Gateway;

use super::set_up;
use crate::client::HttpsClient;
use crate::config::gateway::GatewayFile;
use crate::{clock, config, http, serve};

/// Runs a gateway until told to stop.
pub(super) fn run(path: &Path) -> anyhow::Result<()> {
    let config: GatewayFile = config::load(path)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let gateway = Arc::new(set_up::gateway(&config.gateway, clock::now()).await?);
        let client = HttpsClient::new(&config.client)?;
        let pause = Duration::from_secs(config.gateway.manifest_check_secs.max(1));
        let jobs = [
            tokio::spawn(keep_manifest(Arc::clone(&gateway), client, pause)),
            tokio::spawn(forget_expired(Arc::clone(&gateway))),
        ];
        let served = serve::serve(&config.server, http::gateway::routes(gateway)).await;
        jobs.iter().for_each(tokio::task::JoinHandle::abort);
        served
    })
}

/// Fetches the operator's manifest, but only when the one at hand does not reach far enough. It
/// runs on a clock of its own, so the operator learns of no log-in.
async fn keep_manifest(gateway: Arc<Gateway>, client: HttpsClient, pause: Duration) {
    loop {
        if gateway.needs_manifest(clock::now()) {
            match fetch_manifest(&gateway, &client).await {
                Ok(()) => tracing::info!("took a new manifest"),
                Err(error) => tracing::warn!("no new manifest: {error:#}"),
            }
        }
        tokio::time::sleep(pause).await;
    }
}

async fn fetch_manifest(gateway: &Gateway, client: &HttpsClient) -> anyhow::Result<()> {
    let request = client.requests().get(gateway.manifest_uri());
    let answer = client.send(request).await?;
    if answer.status != StatusCode::OK {
        bail!("the operator answers {}", answer.status);
    }
    let jws = String::from_utf8(answer.body)?;
    gateway.take_manifest(jws.trim(), clock::now()).await?;
    Ok(())
}

async fn forget_expired(gateway: Arc<Gateway>) {
    loop {
        if let Err(error) = gateway.forget_expired(clock::now()).await {
            tracing::warn!(%error, "cannot forget what has expired");
        }
        tokio::time::sleep(FORGET_PAUSE).await;
    }
}

const FORGET_PAUSE: Duration = Duration::from_secs(60);
