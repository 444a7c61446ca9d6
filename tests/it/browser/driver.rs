//! A headless Chromium, driven through chromedriver's WebDriver door; both end with the test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::PATIENCE;

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// An element of the page that is open.
#[derive(Clone)]
pub struct Element(String);

/// A browser with one window.
pub struct Browser {
    driver: Child,
    session: String,
    client: reqwest::blocking::Client,
    _profile: TempDir,
}

impl Browser {
    /// Starts chromedriver on a port that it chooses, and Chromium by it.
    pub fn start() -> Browser {
        let mut driver = match Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
        {
            Ok(driver) => driver,
            Err(error) => panic!(
                "chromedriver does not start ({error}); install the Debian packages chromium and \
                 chromium-driver"
            ),
        };
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port: u16 = loop {
            let Some(Ok(line)) = lines.next() else {
                panic!("chromedriver named no port")
            };
            let named = line
                .split_once("successfully on port ")
                .map(|(_, rest)| rest);
            if let Some(port) = named.and_then(|p| p.trim_end_matches('.').parse().ok()) {
                break port;
            }
        };
        // What it says later must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        let client = reqwest::blocking::Client::builder()
            .timeout(PATIENCE)
            .build()
            .unwrap();
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Browser {
            driver,
            session: format!("http://127.0.0.1:{port}/session"),
            client,
            _profile: profile,
        };
        let data = format!("--user-data-dir={}", browser._profile.path().display());
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": {
            "binary": chromium(),
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--mute-audio",
                "--autoplay-policy=no-user-gesture-required", "--window-size=1400,1000", data,
            ],
        } } } });
        let session = browser.ask(Method::POST, "", Some(wanted)).unwrap();
        let id = session["sessionId"].as_str().unwrap();
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.session));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let mut answer: Value = request.send().unwrap().json().unwrap();
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].take()),
        }
    }

    /// Opens a page and waits until it is loaded.
    pub fn open(&self, url: &str) {
        self.ask(Method::POST, "/url", Some(json!({ "url": url })))
            .unwrap();
    }

    /// Where the browser is.
    pub fn url(&self) -> String {
        self.ask(Method::GET, "/url", None)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The first element that a CSS selector matches, if any.
    pub fn find(&self, css: &str) -> Option<Element> {
        let wanted = json!({ "using": "css selector", "value": css });
        let found = self.ask(Method::POST, "/element", Some(wanted)).ok()?;
        Some(Element(found[ELEMENT].as_str()?.to_owned()))
    }

    /// An attribute of the first match, None while there is none.
    pub fn attr(&self, css: &str, name: &str) -> Option<String> {
        let Element(id) = self.find(css)?;
        let got = self
            .ask(
                Method::GET,
                &format!("/element/{id}/attribute/{name}"),
                None,
            )
            .ok()?;
        got.as_str().map(str::to_owned)
    }

    /// Clicks the first match as a person does, until something else is there: on a live page
    /// another element may take its place in the middle of a click.
    pub fn click<T>(&self, css: &str, mut then: impl FnMut() -> Option<T>) -> T {
        let mut last = "it is not there".to_owned();
        let begun = std::time::Instant::now();
        loop {
            if let Some(Element(id)) = self.find(css) {
                let path = format!("/element/{id}/click");
                if let Err(error) = self.ask(Method::POST, &path, Some(json!({}))) {
                    last = error;
                }
            }
            // A page that the click opened is loaded before the click returns.
            for _ in 0..20 {
                if let Some(there) = then() {
                    return there;
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            if begun.elapsed() > PATIENCE {
                let text = self.script("return document.body.innerText.slice(0, 2000);");
                panic!(
                    "a click at {css} leads nowhere: {last}; at {} stands {text}",
                    self.url()
                );
            }
        }
    }

    /// Presses the mouse on the first match and holds it.
    pub fn press(&self, css: &str) {
        let Some(Element(id)) = self.find(css) else {
            panic!("{css} is not there")
        };
        self.mouse(json!([
            { "type": "pointerMove", "duration": 0, "origin": { ELEMENT: id }, "x": 0, "y": 0 },
            { "type": "pointerDown", "button": 0 },
        ]));
    }

    /// Lets the mouse go where it is.
    pub fn release(&self) {
        self.mouse(json!([{ "type": "pointerUp", "button": 0 }]));
    }

    fn mouse(&self, actions: Value) {
        let mouse = json!({ "type": "pointer", "id": "mouse",
                            "parameters": { "pointerType": "mouse" }, "actions": actions });
        self.ask(
            Method::POST,
            "/actions",
            Some(json!({ "actions": [mouse] })),
        )
        .unwrap();
    }

    /// What a script returns.
    pub fn script(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        self.ask(Method::POST, "/execute/sync", Some(body)).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends Chromium; chromedriver after it.
        let _ = self.client.delete(&self.session).send();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn chromium() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let named = ["chromium", "chromium-browser", "google-chrome"];
    let mut all = named
        .iter()
        .flat_map(|n| path.split(':').map(move |p| format!("{p}/{n}")));
    let found = all.find(|p| std::path::Path::new(p).exists());
    found.unwrap_or_else(|| panic!("there is no Chromium; install the Debian package chromium"))
}
