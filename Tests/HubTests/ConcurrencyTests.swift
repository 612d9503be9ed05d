// SPDX-License-Identifier: Apache-2.0
// Several things at once: imports, undo, people; and many bad records.

import CRM
import Diagnostics
import Foundation
import Hub
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct ConcurrencyTests {
    private func row(_ number: Int, _ gross: String = "12", client: Int? = nil) -> String {
        "F\(number);01/02/2026;;N\(client ?? number % 50);Client \(client ?? number % 50);;;;;\(gross);EUR;"
    }

    @Test func `the same file twice at once is applied once`() async throws {
        let bench = try await Workbench(batchSize: 100)
        let path = try bench.invoices((0..<1000).map { row($0) })
        let ledgers = try await withThrowingTaskGroup(of: RunLedger.self) { group in
            for _ in 0..<3 { group.addTask { try await bench.run([path]).ledger } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(ledgers.reduce(0) { $0 + $1.inserted } == 1000)
        #expect(ledgers.allSatisfy { $0.read == 1000 && $0.quarantined == 0 })
        #expect(try await bench.numbers("select count(*) from sales_doc") == [1000])
        #expect(try await bench.numbers("select count(*) from party where status = 'client'") == [50])
    }

    @Test func `an undo beside another import keeps what that brings`()
        async throws
    {
        let bench = try await Workbench(batchSize: 50)
        let first = try await bench.run([try bench.invoices((0..<500).map { row($0) })])
        let second = try bench.invoices((400..<900).map { row($0, "24") }, name: "b.csv")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await bench.run([second]) }
            group.addTask { try await bench.undo(first.run) }
            try await group.waitForAll()
        }
        // Whatever came first: the second file's documents are all there with its amounts.
        #expect(try await bench.numbers("select count(*) from sales_doc where gross_total = 24") == [500])
        #expect(
            try await bench.numbers(
                "select count(*) from sales_doc where gross_total = 12 and number > 'F399' and length(number) = 4"
            ) == [0])
    }

    @Test func `ten thousand bad rows in a hundred thousand are all in quarantine, the rest is applied`()
        async throws
    {
        let bench = try await Workbench()
        let count = Repository.isSoak ? 1_000_000 : 20_000
        let rows = (0..<count).map { number in
            number.isMultiple(of: 100) ? "F\(number);99/99/2026;;N1;Un;;;;;12;EUR;" : row(number)
        }
        let report = try await bench.run([try bench.invoices(rows)])
        #expect(report.ledger == RunLedger(inserted: count - count / 100, quarantined: count / 100))
        #expect(
            try await bench.texts("select distinct code || ' ' || field || ' ' || value from quarantine")
                == ["FIELD-NOT-DATE issue_date 99/99/2026"])
        #expect(
            try await bench.numbers(
                "select count(*) from quarantine where convert_from(raw, 'UTF8') like 'F%00;99/99%' or convert_from(raw, 'UTF8') like 'F0;99/99%'"
            )
                == [count / 100])
    }

    @Test func `a person edits while an import runs, and keeps the last word`() async throws {
        let bench = try await Workbench(batchSize: 20)
        let header = (0..<400).map { "A\($0),Client \($0),,,,,35000,RENNES," }.joined(separator: "\n")
        _ = try await bench.accounts(header)
        let changed = header.replacing("RENNES", with: "BREST")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await bench.accounts(changed, name: "b.csv") }
            group.addTask {
                for id in stride(from: 1, through: 400, by: 10) {
                    _ = try await bench.numbers(
                        """
                        with claim as (
                          insert into field_claim (entity, entity_id, field, source_id, value)
                          values ('site', \(id), 'city', 3, 'QUIMPER') returning entity_id
                        )
                        update site set city = 'QUIMPER', version = version + 1 from claim where id = entity_id returning 1
                        """)
                }
            }
            try await group.waitForAll()
        }
        #expect(
            try await bench.texts("select city || ' ' || count(*) from site group by city order by 1") == [
                "BREST 360", "QUIMPER 40",
            ])
    }
}
