//! callboard-store
