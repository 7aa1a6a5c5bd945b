//! Requests as bytes, answers as bytes.
