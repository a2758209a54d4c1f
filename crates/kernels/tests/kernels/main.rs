//! One binary for all tests from outside: each that links the kernels compiles their loops anew.

mod loops;
mod space;
mod twins;
