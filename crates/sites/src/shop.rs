//! The shop: three products, a basket, orders.

mod orders;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::failure::Failure;
use crate::page::{self, Frame};
use crate::web::{self, FromOwnPage, OwnForm, Site, Visitor};

pub(crate) use orders::SCHEMA;
use orders::{Basket, Order, PRODUCTS, Product};

/// The shop's own routes.
pub(crate) fn routes(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/basket", post(add))
        .route("/basket/remove", post(remove))
        .route("/orders", post(order))
        .with_state(site)
}

#[derive(Template)]
#[template(path = "shop.html")]
struct FrontPage {
    frame: Frame,
    products: &'static [Product],
    /// Only for people who are logged in.
    basket: Option<Basket>,
    orders: Vec<Order>,
}

async fn front(State(site): State<Arc<Site>>, visitor: Visitor) -> Result<Response, Failure> {
    let (basket, orders) = match visitor.member() {
        Ok(member) => {
            let read = move |store: &mut rusqlite::Connection| {
                Ok((
                    orders::basket(store, &member)?,
                    orders::orders(store, &member)?,
                ))
            };
            let (basket, orders) = site.store.run(read).await?;
            (Some(basket), orders)
        }
        Err(_) => (None, Vec::new()),
    };
    Ok(page::render(&FrontPage {
        frame: visitor.frame(&site),
        products: &PRODUCTS,
        basket,
        orders,
    }))
}

#[derive(Deserialize)]
struct ProductForm {
    product: String,
}

async fn add(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    OwnForm(form): OwnForm<ProductForm>,
) -> Result<Redirect, Failure> {
    let member = visitor.member()?;
    let product = Product::find(&form.product).ok_or(Failure::NothingHere)?;
    site.store
        .run(move |store| orders::add(store, &member, product))
        .await??;
    Ok(Redirect::to("/"))
}

async fn remove(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    OwnForm(form): OwnForm<ProductForm>,
) -> Result<Redirect, Failure> {
    let member = visitor.member()?;
    let product = Product::find(&form.product).ok_or(Failure::NothingHere)?;
    site.store
        .run(move |store| orders::remove(store, &member, product))
        .await?;
    Ok(Redirect::to("/"))
}

async fn order(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    _: FromOwnPage,
) -> Result<Redirect, Failure> {
    let (member, now) = (visitor.member()?, web::now());
    site.store
        .run(move |store| orders::place(store, &member, now))
        .await??;
    Ok(Redirect::to("/"))
}
