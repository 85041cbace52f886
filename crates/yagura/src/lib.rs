//! yagura
