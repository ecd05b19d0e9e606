//! The forum: people write under a name they choose; a moderator can ban an account.

mod posts;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRef, Query, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::failure::Failure;
use crate::page::{self, Frame};
use crate::store::TokenHash;
use crate::web::{self, OwnForm, Site, Visitor};

pub(crate) use posts::SCHEMA;
use posts::{Decision, NewPost, Post, Standing};

const NAME_MAX_CHARS: usize = 40;
const TEXT_MAX_CHARS: usize = 2000;

#[derive(Clone)]
struct Forum {
    site: Arc<Site>,
    moderator: Option<TokenHash>,
}

impl FromRef<Forum> for Arc<Site> {
    fn from_ref(forum: &Forum) -> Arc<Site> {
        Arc::clone(&forum.site)
    }
}

/// The forum's own routes; without a moderator's token nobody moderates.
pub(crate) fn routes(site: Arc<Site>, moderator: Option<TokenHash>) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/name", post(choose_name))
        .route("/posts", post(write))
        .route("/moderation", get(moderation).post(moderate))
        .with_state(Forum { site, moderator })
}

#[derive(Template)]
#[template(path = "forum.html")]
struct FrontPage {
    frame: Frame,
    standing: Standing,
    posts: Vec<Post>,
    moderated: bool,
}

async fn front(State(forum): State<Forum>, visitor: Visitor) -> Result<Response, Failure> {
    let member = visitor.member().ok();
    let read = move |store: &mut rusqlite::Connection| {
        let standing = posts::standing(store, member.as_ref())?;
        Ok((standing, posts::newest(store)?))
    };
    let (standing, posts) = forum.site.store.run(read).await?;
    if standing == Standing::Banned {
        return Err(Failure::Banned);
    }
    Ok(page::render(&FrontPage {
        frame: visitor.frame(&forum.site),
        standing,
        posts,
        moderated: forum.moderator.is_some(),
    }))
}

#[derive(Deserialize)]
struct NameForm {
    name: String,
}

async fn choose_name(
    State(forum): State<Forum>,
    visitor: Visitor,
    OwnForm(form): OwnForm<NameForm>,
) -> Result<Redirect, Failure> {
    let member = visitor.member()?;
    let name = form.name.trim().to_owned();
    let length = name.chars().count();
    if length == 0 || length > NAME_MAX_CHARS || name.chars().any(char::is_control) {
        return Err(Failure::BadForm("A name has 1 to 40 characters."));
    }
    forum
        .site
        .store
        .run(move |store| posts::choose_name(store, &member, &name))
        .await??;
    Ok(Redirect::to("/"))
}

#[derive(Deserialize)]
struct PostForm {
    text: String,
}

async fn write(
    State(forum): State<Forum>,
    visitor: Visitor,
    OwnForm(form): OwnForm<PostForm>,
) -> Result<Redirect, Failure> {
    let member = visitor.member()?;
    let text = form.text.trim().to_owned();
    let length = text.chars().count();
    if length == 0 || length > TEXT_MAX_CHARS {
        return Err(Failure::BadForm("A post has 1 to 2000 characters."));
    }
    let now = web::now();
    let post = NewPost { member, text, now };
    forum
        .site
        .store
        .run(move |store| posts::write(store, &post))
        .await??;
    Ok(Redirect::to("/"))
}

#[derive(Template)]
#[template(path = "moderation.html")]
struct ModerationPage {
    frame: Frame,
    post: String,
    done: Option<&'static str>,
}

#[derive(Deserialize)]
struct About {
    #[serde(default)]
    post: String,
}

async fn moderation(
    State(forum): State<Forum>,
    visitor: Visitor,
    about: Result<Query<About>, QueryRejection>,
) -> Result<Response, Failure> {
    forum.moderator.ok_or(Failure::NothingHere)?;
    let Query(about) = about.map_err(|_| Failure::NothingHere)?;
    Ok(page::render(&ModerationPage {
        frame: visitor.frame(&forum.site),
        post: about.post,
        done: None,
    }))
}

#[derive(Deserialize)]
struct DecisionForm {
    post: i64,
    decision: Decision,
    token: String,
}

async fn moderate(
    State(forum): State<Forum>,
    visitor: Visitor,
    OwnForm(form): OwnForm<DecisionForm>,
) -> Result<Response, Failure> {
    let moderator = forum.moderator.ok_or(Failure::NothingHere)?;
    if !moderator.matches(form.token.trim()) {
        return Err(Failure::WrongToken);
    }
    let (post, decision) = (form.post, form.decision);
    forum
        .site
        .store
        .run(move |store| posts::decide(store, post, decision))
        .await??;
    let done = match decision {
        Decision::Ban => "The member is banned.",
        Decision::Lift => "The ban is lifted.",
    };
    Ok(page::render(&ModerationPage {
        frame: visitor.frame(&forum.site),
        post: post.to_string(),
        done: Some(done),
    }))
}
