// SPDX-License-Identifier: Apache-2.0
// Random moments and damages that a failing run can be repeated with.

/// A linear congruential generator (Knuth's MMIX constants), the high bits first.
package struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    /// The same numbers for the same seed.
    package init(_ seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    package mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 32)
    }
}
