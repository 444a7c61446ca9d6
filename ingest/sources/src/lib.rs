//! callboard-sources
