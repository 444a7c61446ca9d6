//! callboard-ingest
