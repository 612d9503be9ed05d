// SPDX-License-Identifier: Apache-2.0
// Random imports, edits, replays and undos agree with a model that is too simple to be wrong.

import Diagnostics
import Foundation
import Hub
import PostgreSQL
import RelaisTesting
import Testing

/// What the CRM should hold of some invoices: an amount each, and what each run did to it.
private struct Model {
    /// A change of one invoice by a run: states are numbered, so that equal amounts are told apart.
    struct Change {
        let number: String
        let before: Int?
        let after: Int?
    }

    private(set) var state: [String: Int] = [:]
    private(set) var amounts: [Int: Int] = [:]
    private var runs: [Int: [Change]] = [:]
    private(set) var undoes: [Int: Int] = [:]
    private(set) var undone: Set<Int> = []
    /// Records in quarantine, by run: their amount, and whether they wait.
    var waiting: [(run: Int, number: String, amount: Int, order: Int)] = []
    private var orderOfState: [Int: Int] = [:]

    var content: [String] { state.map { "\($0.key)=\(amounts[$0.value] ?? 0)" }.sorted() }
    var undoable: [Int] { runs.keys.filter { !undone.contains($0) }.sorted() }

    /// Records of a run, good ones; `order` is that of their file.
    mutating func apply(_ records: [(number: String, amount: Int)], run: Int, order: Int) {
        runs[run] = runs[run] ?? []
        for (number, amount) in records {
            let before = state[number]
            if let before, amounts[before] == amount { continue }
            let after = newState(amount, order)
            state[number] = after
            runs[run]?.append(Change(number: number, before: before, after: after))
        }
    }

    /// Whether something newer than a file is there already.
    func isNewer(_ number: String, than order: Int, _ amount: Int) -> Bool {
        guard let now = state[number], amounts[now] != amount else { return false }
        return (orderOfState[now] ?? 0) > order
    }

    /// A person changes an amount.
    mutating func edit(_ number: String, _ amount: Int) {
        guard let now = state[number] else { return }
        state[number] = newState(amount, orderOfState[now] ?? 0)
    }

    mutating func undo(_ run: Int, by undo: Int) {
        runs[undo] = []
        for change in (runs[run] ?? []).reversed() where state[change.number] == change.after {
            state[change.number] = change.before
            runs[undo]?.append(Change(number: change.number, before: change.after, after: change.before))
        }
        if let earlier = undoes[run] { undone.remove(earlier) }
        undoes[undo] = run
        undone.insert(run)
    }

    private mutating func newState(_ amount: Int, _ order: Int) -> Int {
        let number = amounts.count
        amounts[number] = amount
        orderOfState[number] = order
        return number
    }
}

@Suite struct EngineModelTests {
    @Test(arguments: 0..<(Repository.isSoak ? 40 : 4))
    func `any sequence of imports, edits, replays and undos ends as the model says`(seed: Int) async throws {
        let bench = try await Workbench(batchSize: 3)
        var random = Seeded(UInt64(seed))
        // The client is nobody's to take away: what an invoice needs is another test's matter.
        _ = try await bench.run([try bench.invoices(["BASE;01/02/2026;;N1;Un;;;;;1;EUR;"], name: "base.csv")])
        var model = Model()
        var history: [String] = []
        for step in 1...25 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5: try await importSome(step, bench, &model, &random, &history)
            case 5:
                let number = "F\(Int.random(in: 0..<8, using: &random))"
                let amount = Int.random(in: 1000..<2000, using: &random)
                history.append("edit \(number) \(amount)")
                _ = try await bench.numbers(
                    "update sales_doc set gross_total = \(amount), version = version + 1 where number = '\(number)' returning 1"
                )
                model.edit(number, amount)
            case 6: try await replay(bench, &model, &history)
            default:
                guard let run = model.undoable.randomElement(using: &random) else { continue }
                let report = try await bench.undo(run)
                history.append("undo \(run) by \(report.run ?? 0)")
                model.undo(run, by: try #require(report.run))
            }
            let found = try await bench.texts(
                "select number || '=' || trim_scale(gross_total) from sales_doc where number <> 'BASE' order by number collate \"C\""
            )
            try #require(found == model.content.map { $0 }, "\(history)")
        }
    }

    private func importSome(
        _ step: Int, _ bench: Workbench, _ model: inout Model, _ random: inout Seeded,
        _ history: inout [String]
    ) async throws {
        var good: [(number: String, amount: Int)] = []
        var rows: [String] = []
        for number in 0..<8 where Bool.random(using: &random) {
            let amount = Int.random(in: 1...3, using: &random)
            good.append(("F\(number)", amount))
            rows.append("F\(number);01/02/2026;;N1;Un;;;;;\(amount);EUR;")
        }
        guard rows.count >= 5 else { return }
        var bad: (number: String, amount: Int)?
        if Bool.random(using: &random) {
            let number = 8 + step % 2
            bad = ("F\(number)", 7 + step)
            rows.append("F\(number);99/99/2026;;N1;Un;;;;;\(7 + step);EUR;")
        }
        let report = try await bench.run([try bench.invoices(rows, name: "f\(step).csv")])
        try #require(report.files.allSatisfy { $0.refusal == nil })
        history.append("import \(report.run): \(good) \(String(describing: bad)) \(report.ledger)")
        history += try await bench.texts(
            "select code || coalesce(facts::text, '') from quarantine where run_id = \(report.run) and code like 'PG-%'"
        ).compactMap(\.self)
        let order = try await bench.numbers("select max(id) from artifact")[0]
        // The same bytes as a file that is applied to its end change nothing, as the same records do not.
        if report.files[0].earlierRun == nil {
            model.apply(good, run: report.run, order: order)
        } else {
            model.apply([], run: report.run, order: order)
        }
        let isKept =
            try await bench.numbers(
                "select count(*) from quarantine where run_id = \(report.run) and status = 'open'")[0] == 1
        if let bad, isKept { model.waiting.append((report.run, bad.number, bad.amount, order)) }
    }

    private func replay(_ bench: Workbench, _ model: inout Model, _ history: inout [String]) async throws {
        guard let first = model.waiting.first else { return }
        model.waiting.removeFirst()
        let filter = QuarantineFilter(run: first.run, code: nil)
        _ = try await bench.correct(filter, ["issue_date": "2026-02-01"])
        let report = try await bench.replay(filter)
        history.append("replay \(first) by \(report.run ?? 0)")
        guard let run = report.run else { return }
        let isOlder = model.isNewer(first.number, than: first.order, first.amount)
        model.apply(isOlder ? [] : [(first.number, first.amount)], run: run, order: first.order)
    }
}
