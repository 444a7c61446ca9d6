//! callboard-query
