// SPDX-License-Identifier: Apache-2.0
// Whether a connection moves on: those who send or read a byte now and then hold it for nothing.

/// Judges one connection from beat to beat; the beats are a patience apart.
struct Pace {
    /// What a beat finds.
    enum Finding: Equatable {
        case moves
        /// The body that we wait for comes too slowly.
        case slowBody
        /// The answer that lies ready is not read.
        case stuckAnswer
    }

    private let patience: Duration
    private var received = 0
    /// Since when we have waited for bytes; nil while it is ourselves who do not read.
    private var owedSince: ContinuousClock.Instant?
    private var owed: Duration = .zero
    /// Bytes that lay ready at the beat before; nil where the connection took some since that asked for more.
    private var pending: Int?

    init(patience: Duration) {
        self.patience = patience
    }

    /// We ask for bytes.
    mutating func ask(at now: ContinuousClock.Instant) {
        owedSince = owedSince ?? now
    }

    /// Bytes came.
    mutating func take(_ count: Int, at now: ContinuousClock.Instant) {
        received += count
        settle(now)
        owedSince = nil
    }

    /// The connection takes bytes again.
    mutating func drain() { pending = nil }

    /// - Parameters:
    ///   - isReading: whether a body is still on its way.
    ///   - pending: bytes of the answer that lie ready; nil where the connection takes more.
    mutating func beat(
        at now: ContinuousClock.Instant, isReading: Bool, pending: Int?
    ) -> Finding {
        settle(now)
        defer { (received, owed, self.pending) = (0, .zero, pending) }
        if isReading, owed > patience / 2, received < least(in: owed) { return .slowBody }
        if let pending, let before = self.pending, before - pending < least(in: patience) {
            return .stuckAnswer
        }
        return .moves
    }

    private mutating func settle(_ now: ContinuousClock.Instant) {
        guard let since = owedSince else { return }
        owed += since.duration(to: now)
        owedSince = now
    }

    private func least(in time: Duration) -> Int {
        Int(time / .seconds(1) * Double(WebServer.Limits.slowest))
    }
}
