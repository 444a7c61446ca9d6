//! `GET /v1/sources`: what is known of each source. Records and dead letters are counted in SQL, so
//! that they are those of all time; requests and repeats leave nothing behind and are counted since
//! the start of this process.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::record_batch::RecordBatch;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use axum::{Extension, Router};
use callboard_dashboards::{SourceFeed, SourceStatus};
use callboard_ingest::doors::kafka::figures::Figures;
use callboard_ingest::doors::platform::Platforms;
use callboard_ingest::doors::platform::source::{Counts, Source};
use callboard_ingest::live::link::Links;
use callboard_ingest::pipeline::Pipeline;
use callboard_model::time::format_rfc3339;
use callboard_query::{Engine, Principal, Session};
use callboard_sources::mapping::PREFIX;
use callboard_sources::registry::EVENT;
use serde_json::{Value, json};

/// Sources of records that are looked at.
const MOST: usize = 10_000;

/// Where the figures come from.
#[derive(Clone)]
pub struct Listed {
    /// The sources and what became of their requests.
    pub platforms: Platforms,
    /// Those that are read from Kafka.
    pub topics: Vec<Arc<Figures>>,
    /// What connections have brought to those of a name.
    pub links: Links,
    /// What was heard of records' own times.
    pub pipeline: Arc<Pipeline>,
    /// For counts of all time.
    pub engine: Engine,
}

/// The route.
pub fn router(listed: Listed) -> Router {
    Router::new()
        .route("/v1/sources", get(list))
        .with_state(listed)
}

/// What one source has sent, by the beginnings of its records' sources.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Told {
    records: i64,
    last: Option<i64>,
    dead: BTreeMap<String, i64>,
    /// Receipt of the last one since the start, and the latest time that one of them names.
    heard: Option<(i64, i64)>,
    /// By the format of the records.
    feeds: BTreeMap<String, Told>,
}

/// A source that is listed.
struct Entry<'a> {
    source: &'a Source,
    /// What became of its records since the start of this process.
    counts: Counts,
    /// Its topics, where it is read from Kafka.
    topics: Option<&'a Figures>,
}

impl Entry<'_> {
    /// Whether its records carry sources of their own, so that only the door has counted them: our
    /// own events do, and those that a mapping tells.
    fn is_own(&self) -> bool {
        let adapter = &self.source.options.adapter;
        adapter == "events" || adapter.starts_with(PREFIX)
    }

    /// What it told, of all that was told by the beginnings of records' sources.
    fn told(&self, all: &BTreeMap<String, Told>) -> Told {
        let mut told = all.get(&self.source.home()).cloned().unwrap_or_default();
        let Some(topics) = self.topics else {
            return told;
        };
        if self.is_own() {
            told.dead = topics.letters();
        } else if let Some(unread) = all.get(&topics.door()) {
            told.add(&Told {
                dead: unread.dead.clone(),
                ..Told::default()
            });
        }
        told
    }
}

async fn list(
    State(listed): State<Listed>,
    Query(asked): Query<BTreeMap<String, String>>,
    who: Option<Extension<Principal>>,
) -> Response {
    // Whoever asks for an earlier moment must not take now for it.
    if asked.get("as_of").is_some_and(|moment| !moment.is_empty()) {
        let detail = "the sources are told of now alone, and as_of asks for an earlier moment; what \
                      they had sent by then is in the table records: POST /v1/sql?as_of=";
        let answer = json!({"status": 400, "class": "invalid", "detail": detail});
        return (StatusCode::BAD_REQUEST, Json(answer)).into_response();
    }
    let who = who.map_or_else(Principal::local, |p| p.0);
    match listed.told(who).await {
        Ok(told) => Json(listed.shown(&told)).into_response(),
        Err(why) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"status": 503, "class": "no_figures", "detail": why})),
        )
            .into_response(),
    }
}

impl Listed {
    /// What was told, by the source of the records.
    async fn told(&self, who: Principal) -> Result<BTreeMap<String, Told>, String> {
        let session = self.engine.session(who);
        let mut told: BTreeMap<String, Told> = BTreeMap::new();
        for row in counted(&session, "records", "format").await? {
            let feed = Told {
                records: row.count,
                last: row.last,
                ..Told::default()
            };
            let one = told.entry(row.source).or_default();
            one.add(&feed);
            one.feeds.insert(row.word, feed);
        }
        for row in counted(&session, "dead_letters", "class").await? {
            let one = told.entry(row.source).or_default();
            one.dead.insert(row.word, row.count);
        }
        for (source, heard) in self.pipeline.heard() {
            let one = told.entry(source).or_default();
            one.heard = Some((heard.last_received, heard.last_event));
            // A source of records has one format.
            for feed in one.feeds.values_mut() {
                feed.heard = one.heard;
            }
        }
        Ok(told)
    }

    fn shown(&self, told: &BTreeMap<String, Told>) -> Value {
        let now = self.pipeline.store().now();
        let shown = self.each(told, |entry, said| line(entry, said, now));
        json!({"now": format_rfc3339(now), "sources": shown})
    }

    /// The sources as the pages show them.
    ///
    /// # Errors
    /// A sentence where their records cannot be counted.
    pub async fn statuses(&self) -> Result<Vec<SourceStatus>, String> {
        let told = self.told(Principal::local()).await?;
        let now = self.pipeline.store().now();
        Ok(self.each(&told, |entry, said| seen(entry, said, now)))
    }

    /// What is made of each source and all that it told.
    fn each<T>(
        &self,
        told: &BTreeMap<String, Told>,
        make: impl Fn(&Entry<'_>, &Told) -> Option<T>,
    ) -> Vec<T> {
        let sources = self.platforms.sources();
        let doors = sources.iter().map(|source| (&**source, None));
        let topics = self.topics.iter().map(|t| (t.source(), Some(&**t)));
        let entries: Vec<Entry<'_>> = doors
            .chain(topics)
            .map(|(source, topics)| Entry {
                source,
                counts: match topics {
                    Some(_) => source.counts(),
                    None => self.counts(source),
                },
                topics,
            })
            .collect();
        let homes = entries.iter().map(|entry| entry.source.home());
        let doors = self.topics.iter().map(|topics| topics.door());
        let homes: Vec<String> = homes.chain(doors).collect();
        let mut own: BTreeMap<String, Told> = BTreeMap::new();
        for (source, said) in told {
            // The longest beginning is the nearest.
            let within = homes.iter().filter(|home| is_within(source, home));
            if let Some(home) = within.max_by_key(|home| home.len()) {
                own.entry(home.clone()).or_default().add(said);
            }
        }
        let made = entries
            .iter()
            .filter_map(|entry| make(entry, &entry.told(&own)));
        made.collect()
    }

    /// What came through a source since the start of this process, by requests and by the
    /// connections of its name.
    fn counts(&self, source: &Source) -> Counts {
        let mut counts = source.counts();
        let name = &source.options.name;
        let links = self.links.all();
        for link in links.values().filter(|link| link.source == *name) {
            counts.taken += link.taken;
            counts.repeated += link.repeated;
            counts.dead += link.refused;
            if link.taken + link.repeated > 0 {
                counts.last = counts.last.max(Some(link.since));
            }
        }
        counts
    }
}

/// Whether a record's source begins with these parts.
fn is_within(source: &str, home: &str) -> bool {
    let rest = source.strip_prefix(home);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Told {
    fn add(&mut self, other: &Told) {
        self.records += other.records;
        self.last = self.last.max(other.last);
        for (class, n) in &other.dead {
            *self.dead.entry(class.clone()).or_default() += n;
        }
        let (a, b) = self.heard.unwrap_or_default();
        self.heard = other
            .heard
            .map(|(c, d)| (a.max(c), b.max(d)))
            .or(self.heard);
        for (format, feed) in &other.feeds {
            self.feeds.entry(format.clone()).or_default().add(feed);
        }
    }

    /// From the latest time that a record names to the receipt of the last, milliseconds.
    fn lag_ms(&self) -> Option<i64> {
        let heard = self.heard.filter(|(_, event)| *event > 0);
        heard.map(|(received, event)| (received - event) / 1000)
    }
}

/// What is known of a source; nothing of one that nobody configured and nobody uses.
fn seen(entry: &Entry<'_>, told: &Told, now: i64) -> Option<SourceStatus> {
    let (options, counts, own) = (&entry.source.options, &entry.counts, entry.is_own());
    let records = if own {
        counts.taken as i64
    } else {
        told.records
    };
    let silent = told.dead.is_empty() && *counts == Counts::default() && records == 0;
    if silent && !options.configured {
        return None;
    }
    let last = told.last.max(counts.last);
    let patience = i64::try_from(options.silent_after.as_micros()).unwrap_or(i64::MAX);
    let state = match last {
        None => "never heard",
        Some(at) if now.saturating_sub(at) > patience => "silent",
        Some(_) => "live",
    };
    let feed = |format: &str, records, told: &Told, last| SourceFeed {
        format: format.to_owned(),
        records,
        last_received_at: last,
        lag_ms: told.lag_ms(),
    };
    let feeds = match (own, last) {
        (true, Some(_)) => {
            let format = match options.adapter.as_str() {
                "events" => EVENT,
                _ => callboard_sources::mapping::FORMAT,
            };
            vec![feed(format, records, told, last)]
        }
        (true, None) => Vec::new(),
        (false, _) => {
            let each = told.feeds.iter();
            each.map(|(format, told)| feed(format, told.records, told, told.last))
                .collect()
        }
    };
    Some(SourceStatus {
        name: options.name.clone(),
        adapter: options.adapter.clone(),
        instance: options.instance.clone(),
        site: options.site.clone(),
        configured: options.configured,
        state,
        last_received_at: last,
        lag_ms: told.lag_ms(),
        records,
        feeds,
    })
}

/// What is answered of a source; nothing of one that nobody configured and nobody uses.
fn line(entry: &Entry<'_>, told: &Told, now: i64) -> Option<Value> {
    let status = seen(entry, told, now)?;
    let (source, counts) = (entry.source, &entry.counts);
    let time = |at: Option<i64>| at.map(format_rfc3339);
    let event = told.heard.map(|(_, event)| event).filter(|at| *at > 0);
    let feeds = status.feeds.iter().map(|f| {
        json!({"format": f.format, "records": f.records,
            "last_received_at": time(f.last_received_at), "lag_ms": f.lag_ms})
    });
    let mut line = json!({
        "name": status.name,
        "adapter": status.adapter,
        "instance": status.instance,
        "site": status.site,
        "configured": status.configured,
        "signature": source.options.proof.name(),
        "state": status.state,
        "last_received_at": time(status.last_received_at),
        "last_event_at": time(event),
        "lag_ms": status.lag_ms,
        "records": status.records,
        "feeds": feeds.collect::<Vec<_>>(),
        "repeated": counts.repeated,
        "dead_letters": told.dead,
        "requests": counts.requests,
        "refused": counts.refused,
    });
    if let Some(topics) = entry.topics {
        line["topics"] = json!(topics.topics());
        line["waiting"] = json!(topics.lag().values().sum::<i64>());
        line["problems"] = json!(topics.problems());
    }
    Some(line)
}

/// A row of the two queries above.
struct Row {
    source: String,
    count: i64,
    last: Option<i64>,
    /// Format of records, class of dead letters.
    word: String,
}

/// One column as texts, in whatever form the engine has them.
fn texts(batch: &RecordBatch, column: usize) -> Result<StringArray, String> {
    let array = cast(batch.column(column), &DataType::Utf8).map_err(|e| e.to_string())?;
    Ok(array.as_string::<i32>().clone())
}

fn numbers(batch: &RecordBatch, column: usize) -> Result<Int64Array, String> {
    let array = cast(batch.column(column), &DataType::Int64).map_err(|e| e.to_string())?;
    Ok(array.as_primitive::<Int64Type>().clone())
}

/// How many rows a table has by source and by one other column, and when the last one came.
async fn counted(session: &Session, table: &str, word: &str) -> Result<Vec<Row>, String> {
    let sql = format!(
        "select source, count(*) as n, cast(max(received_at) as bigint) as last, {word} \
         from callboard.{table} group by source, {word} order by source, {word} limit {MOST}"
    );
    let answer = session.cached(&sql).await.map_err(|e| e.to_string())?;
    let batches: Vec<Vec<Row>> = answer.batches.iter().map(rows).collect::<Result<_, _>>()?;
    Ok(batches.into_iter().flatten().collect())
}

fn rows(batch: &RecordBatch) -> Result<Vec<Row>, String> {
    let (source, count, last) = (texts(batch, 0)?, numbers(batch, 1)?, numbers(batch, 2)?);
    let word = texts(batch, 3)?;
    let row = |n| Row {
        source: source.value(n).to_owned(),
        count: count.value(n),
        last: last.is_valid(n).then(|| last.value(n)),
        word: word.value(n).to_owned(),
    };
    Ok((0..batch.num_rows()).map(row).collect())
}
