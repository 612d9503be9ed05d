// SPDX-License-Identifier: Apache-2.0
// The counts of a run as an equation and as a bar.

internal import Hub
internal import Words

/// Read = inserted + updated + unchanged + quarantined + skipped, as pages show it.
struct LedgerView: Sendable {
    /// One term of the sum.
    struct Term: Sendable {
        let kind: String
        let name: String
        let value: String
        let url: String?
    }

    let read: String
    let terms: [Term]
    let split: SplitView?

    /// - Parameters:
    ///   - isPlan: whether this is still to be done.
    ///   - quarantine: where the quarantined records are.
    init(_ ledger: RunLedger, _ saying: Saying, isPlan: Bool = false, quarantine: String? = nil) {
        read = saying.number(ledger.read)
        let prefix = isPlan ? "page.ledger.plan." : "page.ledger."
        var terms: [Term] = []
        func add(_ kind: String, _ key: String, _ value: Int, url: String? = nil) {
            terms.append(
                Term(
                    kind: kind, name: saying.words(prefix + key), value: saying.number(value),
                    url: value > 0 ? url : nil))
        }
        add("ins", "inserted", ledger.inserted)
        add("upd", "updated", ledger.updated)
        if ledger.deleted > 0 { add("bad", "deleted", ledger.deleted) }
        add("", "unchanged", ledger.unchanged)
        add("warn", "quarantined", ledger.quarantined, url: quarantine)
        add("skip", "skipped", ledger.skipped)
        self.terms = terms
        split = SplitView(ledger, saying)
    }
}

/// The counts as a bar: every part is seen, however small.
struct SplitView: Sendable {
    /// One part, in hundredths of the bar.
    struct Part: Sendable {
        let kind: String
        let x: String
        let width: String
    }

    let label: String
    let parts: [Part]
    let isThin: Bool

    /// nil where nothing was read.
    init?(_ ledger: RunLedger, _ saying: Saying, isThin: Bool = false) {
        let counts = [
            ("ins", "inserted", ledger.inserted), ("upd", "updated", ledger.updated),
            ("bad", "deleted", ledger.deleted), ("same", "unchanged", ledger.unchanged),
            ("warn", "quarantined", ledger.quarantined), ("skip", "skipped", ledger.skipped),
        ].filter { $0.2 > 0 }
        guard !counts.isEmpty else { return nil }
        self.isThin = isThin
        label = counts.map { saying.words("page.ledger.count.\($0.1)", count: $0.2) }.joined(separator: ", ")
        // No part is thinner than 1.2 %, and a gap of 0.4 % lies behind each.
        let total = Double(counts.reduce(0) { $0 + $1.2 })
        let shares = counts.map { max(1.2, Double($0.2) / total * 100) }
        let scale = 100 / shares.reduce(0, +)
        var x = 0.0
        parts = zip(counts, shares).map { count, share in
            defer { x += share * scale }
            return Part(kind: count.0, x: Self.text(x), width: Self.text(max(0.4, share * scale - 0.4)))
        }
    }

    private static func text(_ value: Double) -> String { String((value * 100).rounded() / 100) }
}

/// A state as a badge: shape and word before colour.
struct BadgeView: Sendable {
    let kind: String
    let text: String

    init(_ kind: String, _ text: String) {
        (self.kind, self.text) = (kind, text)
    }

    /// The state of a run.
    init(_ run: RunSummary, _ saying: Saying) {
        if run.undoneBy != nil {
            self.init("", saying.words("page.state.undone"))
            return
        }
        let writes = run.ledger.inserted + run.ledger.updated + run.ledger.deleted
        switch run.state {
        case "running": self.init("run", saying.words("page.state.running"))
        case "interrupted": self.init("bad", saying.words("page.state.interrupted"))
        case "failed": self.init("bad", saying.words("page.state.failed"))
        case "stopped": self.init("part", saying.words("page.state.stopped"))
        case "partial": self.init("part", saying.words("page.state.partial"))
        default:
            self.init("ok", saying.words(writes == 0 ? "page.state.unchanged" : "page.state.succeeded"))
        }
    }
}
