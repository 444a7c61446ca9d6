//! A real Kafka broker of its own, on ports that were free, ended with the test.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tempfile::TempDir;

use super::{project, until};

/// Any id that is well formed will do.
const CLUSTER: &str = "MkU3OEVBNTcwNTJENDM2Qk";

/// How long the broker may take for anything.
const ASK: Duration = Duration::from_secs(30);

const QUIET: &str = "rootLogger.level = ERROR\nrootLogger.appenderRefs = out\n\
    rootLogger.appenderRef.out.ref = out\nappenders = out\nappender.out.type = Console\n\
    appender.out.name = out\nappender.out.layout.type = PatternLayout\n\
    appender.out.layout.pattern = %m%n\n";

/// A broker.
pub struct Broker {
    child: Option<Child>,
    dir: TempDir,
    port: u16,
}

/// The jars that `make kafka` brings.
fn jars() -> PathBuf {
    let libs = project().join(".kafka/libs");
    assert!(
        libs.is_dir(),
        "{} is not there; run `make kafka` (Debian packages maven and openjdk-17-jre-headless)",
        libs.display()
    );
    libs.join("*")
}

fn java(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("java");
    command
        .args(["-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-cp"])
        .arg(jars())
        .arg(format!(
            "-Dlog4j2.configurationFile={}",
            dir.join("log4j2.properties").display()
        ))
        .args(args)
        .stdin(Stdio::null());
    command
}

fn free() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// What is sent: value, key and headers.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// Value; none is a tombstone.
    pub value: Option<String>,
    /// Headers.
    pub headers: Vec<(String, String)>,
}

impl Broker {
    /// Starts one on a folder of its own and waits until it answers.
    pub fn start() -> Broker {
        let dir = tempfile::tempdir().unwrap();
        let (port, controller) = (free(), free());
        let place = dir.path().join("broker");
        let settings = format!(
            "process.roles=broker,controller\nnode.id=1\n\
             controller.quorum.bootstrap.servers=127.0.0.1:{controller}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
             controller.listener.names=CONTROLLER\ninter.broker.listener.name=PLAINTEXT\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
             log.dirs={}\noffsets.topic.replication.factor=1\n\
             transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
             share.coordinator.state.topic.replication.factor=1\n\
             share.coordinator.state.topic.min.isr=1\noffsets.topic.num.partitions=4\n\
             transaction.state.log.num.partitions=4\ngroup.initial.rebalance.delay.ms=0\n\
             group.min.session.timeout.ms=500\nauto.create.topics.enable=false\n",
            place.display()
        );
        std::fs::write(dir.path().join("server.properties"), settings).unwrap();
        std::fs::write(dir.path().join("log4j2.properties"), QUIET).unwrap();
        let file = dir.path().join("server.properties");
        let file = file.to_str().unwrap();
        let args = ["kafka.tools.StorageTool", "format", "--standalone", "-t"];
        let made = java(dir.path(), &args)
            .args([CLUSTER, "-c", file])
            .output()
            .unwrap_or_else(|e| {
                panic!("java does not start ({e}); install openjdk-17-jre-headless")
            });
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "the broker's folder: {said}");
        let mut broker = Broker {
            child: None,
            dir,
            port,
        };
        broker.go();
        broker
    }

    /// Starts it again on its folder.
    pub fn go(&mut self) {
        let file = self.dir.path().join("server.properties");
        let args = ["kafka.Kafka", file.to_str().unwrap()];
        let child = java(self.dir.path(), &args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let port = self.port;
        until("the broker", || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        // It listens before it leads anything.
        until("the broker's answer", || {
            let asked = self.consumer().fetch_metadata(None, ASK).ok()?;
            (!asked.brokers().is_empty()).then_some(())
        });
    }

    /// Ends it: SIGTERM.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        until("the broker's end", || child.try_wait().unwrap());
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.address());
        config
    }

    fn consumer(&self) -> BaseConsumer {
        self.config().create().unwrap()
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.config().create().unwrap()
    }

    /// Makes a topic.
    pub fn topic(&self, name: &str, partitions: i32) {
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let made = self.admin();
        let made = block_on(made.create_topics(&[topic], &AdminOptions::new())).unwrap();
        made.into_iter().for_each(|one| drop(one.unwrap()));
        until("the topic's leaders", || {
            (0..partitions)
                .all(|p| self.consumer().fetch_watermarks(name, p, ASK).is_ok())
                .then_some(())
        });
    }

    /// Removes messages before an offset, as their retention does.
    pub fn truncate(&self, topic: &str, partition: i32, before: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(before))
            .unwrap();
        block_on(self.admin().delete_records(&list, &AdminOptions::new())).unwrap();
    }

    /// First offset there is, and the one that comes next.
    pub fn ends(&self, topic: &str, partition: i32) -> (i64, i64) {
        let ends = self.consumer().fetch_watermarks(topic, partition, ASK);
        ends.unwrap()
    }

    /// Sends messages, message `n` to partition `n % partitions`; all are acknowledged when it
    /// returns.
    pub fn send(&self, topic: &str, partitions: i32, messages: &[Sent]) {
        let producer: BaseProducer = self
            .config()
            .set("enable.idempotence", "true")
            .create()
            .unwrap();
        for (n, message) in (0..).zip(messages) {
            let mut headers = OwnedHeaders::new();
            for (key, value) in &message.headers {
                headers = headers.insert(Header {
                    key,
                    value: Some(value),
                });
            }
            let key = format!("k{n}");
            let mut record = BaseRecord::to(topic)
                .partition(n % partitions)
                .key(&key)
                .headers(headers);
            if let Some(value) = &message.value {
                record = record.payload(value);
            }
            producer.send(record).map_err(|(e, _)| e).unwrap();
        }
        producer.flush(ASK).unwrap();
        assert_eq!(producer.in_flight_count(), 0, "all were taken");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
