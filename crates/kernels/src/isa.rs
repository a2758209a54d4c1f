//! Which instruction set loops are compiled for.

/// The instruction sets that loops exist in. All give the same bits but for large products, where alone a
/// multiplication is fused with an addition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Isa {
    /// What every machine of the target has.
    Base,
    /// 256-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The widest that this machine has.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl");
            let fused = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if wide && fused {
                return Isa::Avx512;
            }
            if fused {
                return Isa::Avx2;
            }
        }
        Isa::Base
    }
}

/// The vectors that loops use on this machine, for people.
pub fn vectors() -> &'static str {
    match Isa::detect() {
        #[cfg(target_arch = "x86_64")]
        Isa::Base => "128 bits (SSE2)",
        #[cfg(not(target_arch = "x86_64"))]
        Isa::Base => "those of every machine of this kind",
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => "256 bits (AVX2, FMA)",
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => "512 bits (AVX-512)",
    }
}

#[cfg(test)]
impl Isa {
    /// All that this machine has.
    pub(crate) fn all() -> Vec<Self> {
        let mut out = vec![Isa::Base];
        #[cfg(target_arch = "x86_64")]
        match Isa::detect() {
            Isa::Base => {}
            Isa::Avx2 => out.push(Isa::Avx2),
            Isa::Avx512 => out.extend([Isa::Avx2, Isa::Avx512]),
        }
        out
    }
}

/// Calls an `#[inline(always)]` function compiled for the given instruction set.
///
/// `dispatch!(isa, body::<T>(args: Type, …) -> Result)`
macro_rules! dispatch {
    ($isa:expr, $body:ident::<$t:ident>($($arg:ident: $ty:ty),* $(,)?)) => {{
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        #[allow(clippy::too_many_arguments)]
        fn avx2<$t: $crate::Real>($($arg: $ty),*) {
            $body::<$t>($($arg),*)
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,avx512f,avx512dq,avx512bw,avx512vl")]
        #[allow(clippy::too_many_arguments)]
        fn avx512<$t: $crate::Real>($($arg: $ty),*) {
            $body::<$t>($($arg),*)
        }
        match $isa {
            $crate::isa::Isa::Base => $body::<$t>($($arg),*),
            // SAFETY: an `Isa` beyond the base comes from `Isa::detect` alone.
            #[cfg(target_arch = "x86_64")]
            $crate::isa::Isa::Avx2 => unsafe { avx2::<$t>($($arg),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            $crate::isa::Isa::Avx512 => unsafe { avx512::<$t>($($arg),*) },
        }
    }};
}
pub(crate) use dispatch;
