use std::io::Write as _;

use super::*;
use crate::live::testing::{given, until};

fn line(n: u32) -> String {
    format!(
        "{}|1795253950.{n}|sales|NONE|ENTERQUEUE||5550101|1\n",
        1_795_253_950 + n
    )
}

fn append(path: &Path, text: &str) {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[tokio::test]
async fn a_file_is_followed_through_rotation_and_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("queue_log");
    let options = FilesOptions {
        instance: "pbx1".into(),
        paths: vec![path.clone()],
        zone: String::new(),
        columns: HashMap::new(),
    };
    let (one, memory) = given(&dir.path().join("state"));
    let count = || memory.records.lock().len();
    let task = tokio::spawn(run(options.clone(), one.clone()));
    until("trouble", || !one.links.problems().is_empty()).await;
    append(&path, &(line(1) + &line(2)));
    until("its lines", || count() == 2).await;
    std::fs::rename(&path, dir.path().join("queue_log.1")).unwrap();
    append(&path, &line(3));
    until("the new file's line", || count() == 3).await;
    one.stop.cancel();
    task.await.unwrap();
    append(&path, &line(4));
    let (two, again) = given(&dir.path().join("state"));
    let task = tokio::spawn(run(options, two.clone()));
    until("what came meanwhile", || again.records.lock().len() == 1).await;
    assert!(again.records.lock()[0].bytes.starts_with(b"1795253954|"));
    assert_eq!(two.links.all()[&name(&path)].taken, 1);
    two.stop.cancel();
    task.await.unwrap();
}
