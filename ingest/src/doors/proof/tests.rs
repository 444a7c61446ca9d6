use axum::http::{HeaderName, HeaderValue};
use ring::hmac;
use serde_json::Value;

use super::*;

fn headers(all: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in all {
        map.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    map
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn proof(scheme: Scheme, secrets: &[&str], url: &str) -> Proof {
    let secrets = secrets.iter().map(|s| secret(s)).collect();
    let secrets = Secrets::open(secrets, Vec::new()).unwrap();
    Proof::new(scheme, secrets, url, Proof::WINDOW)
}

/// A form as it goes over the wire.
fn form(parameters: &Value) -> String {
    let encode = |text: &str| text.replace('+', "%2B");
    let mut pairs = Vec::new();
    for (name, value) in parameters.as_object().unwrap() {
        let values = match value {
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        };
        for value in values {
            pairs.push(format!("{name}={}", encode(value.as_str().unwrap())));
        }
    }
    pairs.join("&")
}

#[test]
fn twilios_own_vectors_are_signed_and_altered_ones_are_not() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/twilio.json")).unwrap();
    for vector in vectors.as_array().unwrap() {
        let text = |key: &str| vector[key].as_str().unwrap_or_default();
        let url = text("url");
        let (media, body) = match vector.get("params") {
            Some(parameters) => (
                "application/x-www-form-urlencoded; charset=UTF-8",
                form(parameters),
            ),
            None => ("application/json", text("body").to_owned()),
        };
        let (address, query) = url.split_once('?').unwrap();
        let given = headers(&[
            ("content-type", media),
            ("X-Twilio-Signature", text("signature")),
        ]);
        let token = [secret(text("auth_token"))];
        let good = |secrets: &[Secret], url: &str, query: &str, body: &str| {
            twilio::is_signed(secrets, url, &given, query, body.as_bytes())
        };
        let name = text("name");
        assert!(
            good(&token, url, query, &body),
            "{name}: address with its query"
        );
        assert!(
            good(&token, address, query, &body),
            "{name}: query of the request"
        );
        assert!(!good(&token, address, "", &body), "{name}: another query");
        assert!(
            !good(&[secret("12346")], url, query, &body),
            "{name}: another token"
        );
        assert!(
            good(&[secret("other"), token[0].clone()], url, query, &body),
            "{name}: while a token is replaced"
        );
        let other = body.replace("1234", "1235").replace("true", "false");
        assert!(!good(&token, url, query, &other), "{name}: another body");
        let longer = format!("{body}&More=1");
        assert!(!good(&token, url, query, &longer), "{name}: a longer body");
    }
}

#[test]
fn twilio_signs_with_the_implied_port_or_without() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/twilio.json")).unwrap();
    // The address of one vector with the signature of the other.
    for (url, signature) in [(0, 2), (2, 0)] {
        let url = vectors[url]["url"].as_str().unwrap();
        let signed = &vectors[signature];
        let given = headers(&[
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-twilio-signature", signed["signature"].as_str().unwrap()),
        ]);
        let body = form(&signed["params"]);
        let query = url.split_once('?').unwrap().1;
        let token = [secret("12345")];
        assert!(twilio::is_signed(
            &token,
            url,
            &given,
            query,
            body.as_bytes()
        ));
    }
}

#[test]
fn a_body_that_the_address_says_nothing_of_is_not_signed() {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"a-token");
    let url = "https://h/v1/sources/flex";
    let tag = hmac::sign(&key, url.as_bytes());
    let tag = base64::engine::general_purpose::STANDARD.encode(tag);
    let signed = |media: &str, body: &[u8]| {
        let given = headers(&[("content-type", media), ("x-twilio-signature", &tag)]);
        twilio::is_signed(&[secret("a-token")], url, &given, "", body)
    };
    assert!(signed("application/json", b""));
    assert!(!signed("application/json", b"{}"));
    assert!(!signed("text/plain", b"CallSid=CA1"));
}

#[test]
fn the_vector_of_standard_webhooks_is_signed_and_altered_ones_are_not() {
    let text = include_str!("vectors/standard-webhooks.json");
    let vector: Value = serde_json::from_str(text).unwrap();
    let word = |key: &str| vector[key].as_str().unwrap();
    let at = vector["webhook-timestamp"].as_i64().unwrap();
    let key = format!("whsec_{}", word("secret"));
    let ask = |proof: &Proof,
               id: &str,
               signatures: &str,
               body: &str,
               now: i64|
     -> Result<(), &'static str> {
        let stamp = at.to_string();
        let given = headers(&[
            ("webhook-id", id),
            ("webhook-timestamp", &stamp),
            ("webhook-signature", signatures),
        ]);
        let head = proof.of_head(&given, "", now * 1_000_000);
        let head = head.map_err(|p| p.class)?;
        assert_eq!(head, Shown::InBody);
        let body = proof.of_body(&given, "", body.as_bytes());
        body.map_err(|p| p.class)
    };
    let (id, body) = (word("webhook-id"), word("payload"));
    let ours = proof(Scheme::StandardWebhooks, &[&key], "");
    let bare = proof(Scheme::StandardWebhooks, &[word("secret")], "");
    let mut rotated = vec!["whsec_bm90IHRoaXMgb25lLCBidXQgbG9uZw==", &*key];
    let rotating = proof(Scheme::StandardWebhooks, &rotated, "");
    rotated.pop();
    let revoked = proof(Scheme::StandardWebhooks, &rotated, "");
    for good in [word("signature"), word("also_valid_header")] {
        for proof in [&ours, &bare, &rotating] {
            assert_eq!(ask(proof, id, good, body, at), Ok(()), "{good}");
        }
        assert_eq!(ask(&revoked, id, good, body, at), Err("bad_signature"));
        assert_eq!(
            ask(&ours, "msg_other", good, body, at),
            Err("bad_signature")
        );
        let other = body.replace('2', "3");
        assert_eq!(ask(&ours, id, good, &other, at), Err("bad_signature"));
    }
    for bad in vector["invalid_headers"].as_array().unwrap() {
        let bad = bad.as_str().unwrap();
        assert_eq!(ask(&ours, id, bad, body, at), Err("bad_signature"), "{bad}");
    }
    let good = word("signature");
    for (now, told) in [
        (at + 300, Ok(())),
        (at + 301, Err("too_old")),
        (at - 300, Ok(())),
        (at - 301, Err("too_new")),
    ] {
        assert_eq!(ask(&ours, id, good, body, now), told, "{}", now - at);
    }
    let none = ours.of_head(&headers(&[("webhook-id", id)]), "", at);
    assert_eq!(none.unwrap_err().class, "unsigned");
}

#[test]
fn a_key_is_shown_in_any_of_its_places() {
    let ours = proof(Scheme::Bearer, &["the old secret", "the+new secret"], "");
    let shown = |given: &[(&str, &str)], query: &str| {
        let head = ours.of_head(&headers(given), query, 0);
        head.map_err(|p| (p.status.as_u16(), p.class))
    };
    for (given, query) in [
        (&[("authorization", "Bearer the old secret")][..], ""),
        (&[("authorization", "bearer the+new secret")], ""),
        // aladdin:the old secret
        (
            &[("authorization", "Basic YWxhZGRpbjp0aGUgb2xkIHNlY3JldA==")],
            "",
        ),
        (&[("x-api-key", "the old secret")], ""),
        (&[("x-amz-firehose-access-key", "the old secret")], ""),
        (&[("aeg-sas-key", "the old secret")], ""),
        (&[], "a=b&code=the%2Bnew+secret"),
        (&[], "access_token=the%20old%20secret"),
        // One that is wrong beside one that is right.
        (
            &[
                ("authorization", "Bearer x"),
                ("x-api-key", "the old secret"),
            ],
            "",
        ),
    ] {
        assert_eq!(shown(given, query), Ok(Shown::Proven), "{given:?} {query}");
    }
    for (given, query, class) in [
        (&[][..], "", "unsigned"),
        (&[("authorization", "Basic !!")], "", "unsigned"),
        (
            &[("authorization", "Bearer the older secret")],
            "",
            "bad_signature",
        ),
        (&[("x-api-key", "")], "", "bad_signature"),
        (&[], "code=", "bad_signature"),
        (&[], "Code=the+old+secret", "unsigned"),
    ] {
        assert_eq!(shown(given, query), Err((401, class)), "{given:?} {query}");
    }
    // Where there is no secret nothing is asked for.
    let open = Proof::default();
    assert_eq!(
        open.of_head(&HeaderMap::new(), "", 0).unwrap(),
        Shown::Proven
    );
    assert_eq!((open.name(), ours.name()), ("none", "bearer"));
}

#[test]
fn who_knows_the_secret_may_show_it_instead_of_signing() {
    for scheme in Scheme::ALL {
        let ours = proof(scheme, &["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "https://h/");
        let good = headers(&[("x-api-key", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]);
        assert_eq!(ours.of_head(&good, "", 0).unwrap(), Shown::Proven);
        let bad = headers(&[("x-api-key", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx")]);
        assert_eq!(
            ours.of_head(&bad, "", 0).unwrap_err().status,
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(Scheme::of_name(scheme.name()), Some(scheme));
    }
}

#[test]
fn every_notification_of_graph_carries_the_word_and_the_handshake_none() {
    let ours = proof(Scheme::Graph, &["word-one", "word-two"], "");
    let none = HeaderMap::new();
    let ask = |query: &str, body: &str| {
        assert_eq!(ours.of_head(&none, query, 0).unwrap(), Shown::InBody);
        ours.of_body(&none, query, body.as_bytes())
            .map_err(|p| p.class)
    };
    let one = |word: &str| format!(r#"{{"subscriptionId":"s","clientState":"{word}"}}"#);
    let batch = |words: &[&str]| {
        let all: Vec<String> = words.iter().map(|w| one(w)).collect();
        format!("{{\"value\":[{}]}}", all.join(","))
    };
    assert_eq!(ask("validationToken=x%20y", ""), Ok(()));
    assert_eq!(ask("", &batch(&["word-one"])), Ok(()));
    assert_eq!(ask("", &batch(&["word-two", "word-one"])), Ok(()));
    for bad in [
        batch(&["word-one", "word-none"]),
        batch(&[]),
        r#"{"value":[{"subscriptionId":"s","clientState":"word-one"},{"id":"a call record"}]}"#
            .to_owned(),
        r#"{"value":[{"clientState":null}]}"#.to_owned(),
        r#"{"id":"a call record"}"#.to_owned(),
        String::new(),
    ] {
        assert_eq!(ask("", &bad), Err("bad_signature"), "{bad}");
    }
}

#[test]
fn hub_signatures_are_read_in_base64_and_hex() {
    let ours = proof(Scheme::Hub, &["a hub's secret"], "");
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a hub's secret");
    let tag = hmac::sign(&key, b"{}");
    let hex: String = tag.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    let base64 = base64::engine::general_purpose::STANDARD.encode(tag);
    for text in [hex, base64] {
        let given = headers(&[("X-Hub-Signature-256", &format!("sha256={text}"))]);
        assert_eq!(ours.of_head(&given, "", 0).unwrap(), Shown::InBody);
        assert!(ours.of_body(&given, "", b"{}").is_ok());
        assert_eq!(
            ours.of_body(&given, "", b"{ }").unwrap_err().class,
            "bad_signature"
        );
    }
    assert_eq!(
        ours.of_head(&HeaderMap::new(), "", 0).unwrap_err().class,
        "unsigned"
    );
}
