//! That a number and the list behind it are made from the same rows.

use std::sync::Mutex;

use super::*;

/// Keeps what it is asked.
struct Heard(Mutex<Vec<String>>);

#[async_trait::async_trait]
impl Data for Heard {
    async fn rows(&self, sql: &str) -> Result<Arc<Rows>, DataError> {
        self.0.lock().unwrap().push(sql.to_owned());
        Ok(Arc::new(Rows::default()))
    }
    fn pin(&self) -> Arc<dyn Data> {
        Arc::new(Heard(Mutex::default()))
    }
    async fn at(&self, _: i64) -> Result<Arc<dyn Data>, DataError> {
        Ok(self.pin())
    }
}

fn run(name: &str, query: &str) -> Run {
    let library = crate::reports::Library::new(None);
    let report = library.get(name).unwrap().unwrap();
    let params = Params::parse(query).unwrap();
    let choice = Choice::read(&params, chrono_tz::Tz::UTC, 0).unwrap();
    Run::new(report, choice, &params).unwrap()
}

#[tokio::test]
async fn a_number_and_its_list_are_made_from_the_same_rows() {
    let query =
        "from=2026-03-29&to=2026-03-29&tz=Europe/Berlin&queue=o'neill&x.queue=sales&x.bucket=~";
    let run = run("queue-interval", query);
    for (name, m) in &run.report.measures {
        let heard = Heard(Mutex::default());
        run.number(&heard, name).await.unwrap();
        run.list(&heard, m, 10, 0).await.unwrap();
        let asked = heard.0.lock().unwrap().clone();
        let source = run.source(&run.report.facts[&m.facts]);
        assert!(source.contains("f.queue IN ('o''neill')") && source.contains("IS NULL"));
        assert_eq!(asked.len(), 2);
        for sql in &asked {
            assert!(
                sql.contains(&source) && sql.contains(&listed(m)),
                "{name}: {sql}"
            );
        }
    }
}

#[test]
fn a_second_click_takes_the_filter_away() {
    let plain = run("queue-interval", "from=2026-03-29");
    let sales = Value::Text("sales".to_owned());
    let once = plain.filtered(&[("queue", &sales)]);
    assert_eq!(
        once,
        "/reports/queue-interval?from=2026-03-29&x.queue=sales"
    );
    let pinned = run("queue-interval", "from=2026-03-29&x.queue=sales");
    assert_eq!(
        pinned.filtered(&[("queue", &sales)]),
        "/reports/queue-interval?from=2026-03-29"
    );
    assert!(pinned.drill("offered", &[]).contains("x.queue=sales"));
}

#[test]
fn unknown_dimensions_are_refused() {
    let report = crate::reports::Library::new(None)
        .get("queue-interval")
        .unwrap()
        .unwrap();
    let params = Params::parse("x.nonsense=1").unwrap();
    let choice = Choice::read(&params, chrono_tz::Tz::UTC, 0).unwrap();
    assert!(Run::new(report, choice, &params).is_err());
}

#[test]
fn intervals_that_are_not_offered_are_refused() {
    let read = |name: &str, query: &str| {
        let report = crate::reports::Library::new(None).get(name).unwrap();
        let params = Params::parse(query).unwrap();
        let choice = Choice::read(&params, chrono_tz::Tz::UTC, 0).unwrap();
        Run::new(report.unwrap(), choice, &params)
    };
    for query in ["interval=0", "by=0", "by=1m", "interval=15"] {
        let why = read("queue-interval", query).err().unwrap();
        assert!(why.contains("15m, 30m, hour, day"), "{query}: {why}");
    }
    assert!(
        read("exceptions", "by=hour")
            .err()
            .unwrap()
            .contains("no intervals")
    );
    let hours = read("queue-interval", "interval=hour").unwrap();
    assert_eq!(hours.grain.name(), "hour");
    assert_eq!(hours.href(&hours.params), "/reports/queue-interval?by=hour");
}
