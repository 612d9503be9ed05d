// SPDX-License-Identifier: Apache-2.0
// Room for what lasts: files that are sent and received, pages that follow something.

internal import Diagnostics
internal import Synchronization

/// So many at once, and so many of one asker.
final class Slots: Sendable {
    private struct State {
        var taken = 0
        var byAsker: [String: Int] = [:]
    }

    private let total: Int
    private let each: Int
    private let state = Mutex(State())

    init(total: Int, each: Int) {
        (self.total, self.each) = (total, each)
    }

    /// A slot for as long as somebody keeps it.
    ///
    /// - Throws: `HTTP-BUSY`, with the advice to come back.
    func take(for asker: String) throws(ServerError) -> Slot {
        let isFree = state.withLock { state in
            guard state.taken < total, state.byAsker[asker, default: 0] < each else { return false }
            state.taken += 1
            state.byAsker[asker, default: 0] += 1
            return true
        }
        guard isFree else { throw ServerError(.busy, retry: .after(.seconds(30))) }
        return Slot(asker, in: self)
    }

    fileprivate func free(_ asker: String) {
        state.withLock { state in
            state.taken -= 1
            let left = state.byAsker[asker, default: 1] - 1
            state.byAsker[asker] = left == 0 ? nil : left
        }
    }
}

/// A slot that is taken; free again when nobody keeps it, whether an answer was sent, cut off or never begun.
final class Slot: Sendable {
    private let asker: String
    private let slots: Slots

    fileprivate init(_ asker: String, in slots: Slots) {
        (self.asker, self.slots) = (asker, slots)
    }

    deinit { slots.free(asker) }

    /// Keeps the slot until here.
    func hold() { withExtendedLifetime(self) {} }
}
