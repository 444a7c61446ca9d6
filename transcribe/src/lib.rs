//! callboard-transcribe
