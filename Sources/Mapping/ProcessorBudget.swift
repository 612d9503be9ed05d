// SPDX-License-Identifier: Apache-2.0
// Bounds the processor time that one file may take, whatever is in it.

internal import Diagnostics
internal import Glibc

/// How much processor time a file may take: a start, and more for each mebibyte read.
///
/// A large file is allowed its time, a small one that keeps the processor busy is stopped.
package struct ProcessorBudget: Sendable {
    /// Seconds that every file has.
    package var start: Double
    /// Seconds more for each mebibyte.
    package var perMebibyte: Double

    /// Fifty times and more what an honest file takes in a debug build.
    package static let standard = ProcessorBudget(start: 20, perMebibyte: 20)

    /// A budget of these seconds.
    package init(start: Double, perMebibyte: Double) {
        self.start = start
        self.perMebibyte = perMebibyte
    }

    /// Seconds for a file of which so many bytes were read.
    func seconds(forBytes bytes: Int) -> Double { start + perMebibyte * Double(bytes) / Double(1 << 20) }
}

/// What one file has taken of its budget.
struct ProcessorMeter: Sendable {
    private let budget: ProcessorBudget
    private var spent = 0.0
    private var bytes = 0
    private var started = 0.0

    init(_ budget: ProcessorBudget) {
        self.budget = budget
    }

    /// Begins a piece of work on the current thread.
    mutating func begin(bytes count: Int) {
        bytes += count
        started = Self.now
    }

    /// Counts what the thread has worked since the beginning or the last check.
    ///
    /// - Throws: `MAP-TOO-SLOW` when the budget is used up.
    mutating func check(line: Int?) throws(MappingError) {
        let now = Self.now
        spent += now - started
        started = now
        let allowed = budget.seconds(forBytes: bytes)
        guard spent > allowed else { return }
        throw MappingError(.tooSlow, ["seconds": String(Int(allowed))], at: Place(line: line))
    }

    private static var now: Double {
        var time = timespec()
        guard unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
