//! The table of addresses.

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use tower_http::compression::{CompressionLayer, CompressionLevel};

use crate::{
    AppState, assets, events, files, guard,
    pages::{
        Visitor, bedrock, beside, bugs, caching, dashboards, diagnostics, diagrams, emulator,
        errors, exercises, feed, home, media, playground, posts, requests, rustc, search, tags,
        teach,
    },
    runs, shelf,
};

/// What is nothing without a running workshop. Exported pages under these addresses say so.
const LIVE: [&str; 5] = [
    "/emulator",
    "/playground",
    "/dashboards",
    "/requests",
    "/diagnostics",
];

/// The whole site as a service; tests call it without a port.
pub fn router(state: AppState) -> Router {
    // Made of the course alone: kept as they were sent.
    let still = Router::new()
        .route("/posts", get(posts::list))
        .route("/archive", get(posts::archive))
        .route("/posts/{slug}", get(posts::page))
        .route("/diagrams", get(diagrams::list))
        .route("/diagrams/{slug}", get(diagrams::page))
        .route("/tags", get(tags::list))
        .route("/tags/{tag}", get(tags::tag))
        .route("/categories/{category}", get(tags::category))
        .route("/teach", get(teach::list))
        .route("/teach/{slug}", get(teach::page))
        .route("/search.json", get(search::index));

    let reading = Router::new()
        .route("/", get(home::page))
        .route("/feed.xml", get(feed::feed))
        .route("/sitemap.xml", get(feed::sitemap))
        .route("/exercises", get(exercises::list))
        .route("/exercises/{slug}", get(exercises::page))
        .route("/exercises/{slug}/solution", get(exercises::solution))
        .route("/exercises/{slug}/files/{*path}", get(beside::page))
        .route("/bugs", get(bugs::list))
        .route("/bugs/{slug}", get(bugs::page))
        .route("/bugs/{slug}/all", get(bugs::all))
        .route("/emulator", get(emulator::page))
        .route("/playground", get(playground::page))
        .route("/dashboards", get(dashboards::page))
        .route("/diagnostics", get(diagnostics::page))
        .route("/search", get(search::page))
        .fallback(errors::not_found);

    let owner = Router::new()
        .route("/exercises/{slug}/results", get(exercises::results))
        .route("/exercises/{slug}/check", post(runs::check_form))
        .route("/exercises/{slug}/cancel", post(runs::cancel_form))
        .route("/exercises/{slug}/file", post(files::form))
        .route("/rustc/{code}", get(rustc::page))
        .route("/bedrock", get(bedrock::page).post(bedrock::on))
        .route("/bedrock/off", post(bedrock::off))
        .route("/api/exercises/{id}/watch", post(runs::watch))
        .route("/api/exercises/{id}/hint", post(runs::hint))
        .route("/api/exercises/{id}/file", get(files::get).put(files::put))
        .route("/api/exercises/{id}/file/copy", post(files::copy))
        .route("/api/exercises/{id}/file/difference", post(files::compare))
        .route("/api/exercises/{id}/reset", post(files::reset))
        .route("/api/exercises/{id}/format", post(files::format))
        .route("/bugs/{slug}/found", post(bugs::found))
        .route("/api/exercises/{id}/check", post(runs::check))
        .route("/api/exercises/{id}/cancel", post(runs::cancel))
        .route("/api/lit", get(diagrams::lit))
        .route("/playground", post(playground::send))
        .route("/requests/{whose}/{number}", get(requests::page))
        .route("/requests/{whose}/{number}/lit", get(requests::lit))
        .route("/requests/{whose}/{number}/replay", post(requests::replay))
        .route_layer(middleware::from_fn_with_state(
            state.clone(),
            guard::token_required,
        ));

    // Streams and the assets stay outside of compression: the ones must not be held back, the others
    // are compressed already.
    let live = Router::new()
        .route("/events", get(events::stream))
        .route("/api/playground", post(playground::pieces))
        .route_layer(middleware::from_fn_with_state(
            state.clone(),
            guard::token_required,
        ))
        .route("/media/{*path}", get(media::picture))
        .route("/assets/{version}/{*path}", get(assets::asset));

    let pages = |routes: Router<AppState>, quality| {
        routes
            .layer(middleware::from_fn(caching::validate))
            .layer(CompressionLayer::new().quality(quality))
            .layer(middleware::map_response(caching::name_the_encoding))
    };
    let changing = reading
        .merge(owner)
        .layer(middleware::from_fn_with_state(state.clone(), only_live));
    let kept = middleware::from_fn_with_state(state.clone(), shelf::keep);
    // What is compressed once may take a little longer: 6 % less of a long post.
    let once = CompressionLevel::Precise(6);
    let routes = pages(changing, CompressionLevel::Default)
        .merge(pages(still, once).route_layer(kept))
        .merge(live)
        .with_state(state.clone());
    // Not a layer of each route: who is refused, and what is kept, needs none.
    Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn_with_state(state, front))
}

/// What every request meets first, and every answer last.
async fn front(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let known = guard::intercept(&state, &request).or_else(|| shelf::find(&state, &request));
    let mut response = match known {
        Some(response) => response,
        None => next.run(request).await,
    };
    guard::security_headers(response.headers_mut());
    response
}

async fn only_live(
    State(state): State<AppState>,
    visitor: Visitor,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let live = LIVE.iter().any(|at| path.starts_with(at));
    if state.exported() && live {
        return errors::only_live(&state, visitor);
    }
    next.run(request).await
}
