//! How much an archive may unpack to.

/// What every archive may unpack to, in bytes; `MOST_GROWTH` times its own size comes on top.
const ALWAYS_ALLOWED: u64 = 1 << 30;
const MOST_GROWTH: u64 = 100;

/// Whether an archive of `size` bytes that unpacks to `unpacked` is one that is to fill a disk or a processor's time.
pub fn is_bomb(size: u64, unpacked: u64) -> bool {
    unpacked > ALWAYS_ALLOWED.saturating_add(size.saturating_mul(MOST_GROWTH))
}
