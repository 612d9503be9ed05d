// SPDX-License-Identifier: Apache-2.0
// Files that others wrote, with answers that others extracted; runs where the samples are at hand.

import Foundation
import PostgreSQL
import RelaisTesting
import Testing

@Suite(.enabled("the samples are not here: set RELAIS_SAMPLES", { Repository.samples != nil }))
struct SampleTests {
    private func folder() throws -> URL { try #require(Repository.samples) }

    private func files(_ kind: String) throws -> [String] {
        let folder = try folder().appending(path: "erp/\(kind)")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
            folder.path + "/" + $0
        }
    }

    private func invoices() throws -> [String] { try files("ubl") }

    /// The answers, by file.
    private func expected() throws -> [String: [String: Any]] {
        let data = try Data(contentsOf: try folder().appending(path: "erp/expected.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: [String: Any]])
    }

    /// The records of files, as `map --json` prints them.
    private func map(_ files: [String], _ options: [String] = []) async throws -> [[String: Any]] {
        let result = try await RelaisCommand.run(["map", "--json"] + options + files)
        let lines = try result.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        return lines.filter { $0["entity"] as? String != "file" }
    }

    @Test(arguments: [("ubl", 11), ("cii", 7)])
    func `every value of every invoice is the expected one`(kind: String, count: Int) async throws {
        let expected = try expected()
        var compared = 0
        for item in try await map(try files(kind)) {
            let path = try #require(item["file"] as? String)
            let name = "\(kind)/" + (path.split(separator: "/").last ?? "")
            let answer = try #require(expected[name])
            let fields = try #require(item["fields"] as? [String: Any])
            compared += compare(fields, answer, name)
        }
        #expect(compared == count * 34)
    }

    @Test(arguments: ["BR-CO-10", "BR-CO-15", "BR-S-08-1"])
    func `each rule judges each fragment as the norm's own tests do`(name: String) async throws {
        let answer = try #require(try expected()["rules/\(name).xml"])
        let tests = try #require(answer["tests"] as? [[String: Any]])
        let items = try await map([try folder().appending(path: "erp/rules/\(name).xml").path])
        #expect(items.count == tests.count)
        for (item, test) in zip(items, tests) {
            let findings = (item["findings"] as? [[String: Any]] ?? []).compactMap { $0["code"] as? String }
            for rule in test["success"] as? [String] ?? [] { #expect(!findings.contains(rule), "\(test)") }
            for rule in test["error"] as? [String] ?? [] { #expect(findings.contains(rule), "\(test)") }
        }
    }

    /// Compares one document; amounts as written, VAT numbers without the spaces that the mapping takes out, and
    /// 0 by default where the file has nothing.
    private func compare(_ fields: [String: Any], _ answer: [String: Any], _ name: String) -> Int {
        var compared = 0
        func check(_ field: String, _ actual: Any?, _ expected: Any?) {
            compared += 1
            var (actual, expected) = (actual as? String, expected as? String)
            if field.hasSuffix("vat") { expected = expected?.replacing(" ", with: "") }
            if expected == nil, actual == "0" { actual = nil }
            #expect(actual == expected, "\(name) \(field)")
        }
        for field in [
            "customization", "type_code", "number", "issue_date", "due_date", "currency", "line_total",
            "net_total",
            "gross_total", "prepaid", "rounding", "payable", "tax_total", "contract_ref", "order_ref",
            "preceding_invoice",
        ] { check(field, fields[field], answer[field]) }
        for party in ["seller", "buyer"] {
            let actual = fields[party] as? [String: Any] ?? [:]
            let wanted = answer[party] as? [String: Any] ?? [:]
            for field in ["name", "trade_name", "vat", "legal_id", "siret", "country", "postal_code"] {
                check("\(party).\(field)", actual[field], wanted[field])
            }
            check("\(party).siren", actual["siren"], wanted["siren_derived"])
        }
        for (rows, count) in [("lines", "line_count"), ("taxes", "tax_breakdown_count")] {
            compared += 1
            #expect((fields[rows] as? [Any])?.count == answer[count] as? Int, "\(name) \(rows)")
        }
        return compared
    }

    @Test func `the invoice attached to each PDF is read, and a PDF without one is named`() async throws {
        var compared = 0
        for file in try files("pdf") {
            let name = "pdf/" + (file.split(separator: "/").last ?? "")
            let answer = try #require(try expected()[name])
            guard answer["outcome"] == nil else {
                let result = try await RelaisCommand.run(["map", file])
                #expect(result.status == 1)
                #expect(result.errors.contains("[PDF-NO-XML]"))
                continue
            }
            let item = try #require(try await map([file]).first)
            let path = try #require(item["file"] as? String)
            #expect(path.hasSuffix("/" + (answer["embedded_xml"] as? String ?? "?")))
            compared += compare(try #require(item["fields"] as? [String: Any]), answer, name)
        }
        #expect(compared == 6 * 34)
    }

    @Test func `the ledger has the sums, rows and lettered rows that were counted`() async throws {
        let name = "111111111FEC20221231.TXT"
        let answer = try #require(try expected()["fec/\(name)"])
        let path = try folder().appending(path: "erp/fec/\(name)").path
        let result = try await RelaisCommand.run(["map", "--json", path])
        let lines = try result.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let file = try #require(lines.last)
        #expect(file["mapping"] as? String == "fec@2")
        #expect(file["read"] as? Int == answer["rows"] as? Int)
        let clients = lines.compactMap { ($0["fields"] as? [String: Any])?["party"] as? String }
        #expect(Set(clients).count == answer["clients_411"] as? Int)
        let totals = file["totals"] as? [String: String]
        #expect(totals?["sum(all.debit)"] == answer["debit"] as? String)
        #expect(totals?["sum(all.credit)"] == answer["credit"] as? String)
        #expect(lines.dropLast().allSatisfy { $0["applicable"] as? Bool == true })
    }

    /// A mapping of one's own reads the columns that the shipped one passes over.
    @Test func `all entries of the ledger are read, balanced one by one`() async throws {
        let name = "111111111FEC20221231.TXT"
        let answer = try #require(try expected()["fec/\(name)"])
        let shipped = try String(
            contentsOf: Repository.root.appending(path: "Mappings/erp/fec.yaml"), encoding: .utf8)
        let mapping = FileManager.default.temporaryDirectory.appending(path: "fec-\(UUID().uuidString).yaml")
        try Data(shipped.replacing("only: account starts '411'\n", with: "").utf8).write(to: mapping)
        defer { try? FileManager.default.removeItem(at: mapping) }
        let items = try await map(
            [try folder().appending(path: "erp/fec/\(name)").path], ["--mapping", mapping.path])
        let rows = items.compactMap { $0["fields"] as? [String: Any] }
        #expect(rows.count == answer["rows"] as? Int)
        #expect(rows.count { $0["letter"] is String } == answer["lettered"] as? Int)
        var balances: [String: Decimal] = [:]
        for row in rows {
            let debit = Decimal(string: row["debit"] as? String ?? "0") ?? 0
            let credit = Decimal(string: row["credit"] as? String ?? "0") ?? 0
            balances["\(row["journal"] ?? "") \(row["entry_no"] ?? "")", default: 0] += debit - credit
        }
        #expect(balances.count == answer["entries"] as? Int)
        #expect(balances.values.count { $0 != 0 } == answer["unbalanced_entries"] as? Int)
    }

    @Test func `bank statements have the accounts and sums that were counted`() async throws {
        for file in try files("bank") where file.hasSuffix(".xml") {
            let name = "bank/" + (file.split(separator: "/").last ?? "")
            let statements = try #require(try expected()[name]?["statements"] as? [[String: Any]])
            let items = try await map([file])
            #expect(items.count == statements.count)
            for (item, statement) in zip(items, statements) {
                let fields = try #require(item["fields"] as? [String: Any])
                let entries = try #require(fields["entries"] as? [[String: Any]])
                #expect(fields["id"] as? String == statement["id"] as? String)
                #expect(fields["iban"] as? String == statement["iban"] as? String)
                #expect(entries.count == statement["entries"] as? Int)
                let amounts = entries.compactMap { ($0["amount"] as? String).flatMap(Double.init) }
                #expect(String(amounts.reduce(0, +)) == statement["signed_sum"] as? String)
            }
        }
        let tape = try await map([try folder().appending(path: "erp/bank/example.txt").path])
        let kinds = try #require(try expected()["bank/example.txt"]?["record_types"] as? [String: Int])
        func rows(_ name: String) -> Int {
            tape.reduce(0) { $0 + ((($1["fields"] as? [String: Any])?[name] as? [Any])?.count ?? 0) }
        }
        #expect(tape.count == kinds["01"])
        #expect(rows("entries") == kinds["04"])
        #expect(rows("details") == kinds["05"])
    }

    @Test func `lifecycle statuses are the expected ones`() async throws {
        for item in try await map(try files("cdar")) {
            let path = try #require(item["file"] as? String)
            let answer = try #require(try expected()["cdar/" + (path.split(separator: "/").last ?? "")])
            let fields = try #require(item["fields"] as? [String: Any])
            #expect(fields["status_code"] as? String == answer["status_code"] as? String)
            #expect(fields["invoice"] as? String == answer["invoice"] as? String)
            #expect(item["applicable"] as? Bool == true)
        }
    }

    @Test
    func `accounts and invoices arrive once or wait with their reason, and a second time writes nothing`()
        async throws
    {
        let url = try await TestServer.shared.makeDatabase()
        let environment = ["RELAIS_DATABASE_URL": url]
        let accounts = try folder().appending(path: "ged/crm_accounts.csv").path
        let first = try await RelaisCommand.run(["import", accounts], environment: environment)
        #expect(first.status == 0)
        let second = try await RelaisCommand.run(["import"] + (try invoices()), environment: environment)
        #expect(second.status == 3)
        let connection = try await Connection.open(url)
        func numbers(_ sql: String) async throws -> [Int] { try await connection.run(AdHoc<Int>(sql)) }
        #expect(
            try await numbers("select count(*) from party where status = 'client' and created_run = 1") == [
                25
            ])
        #expect(try await numbers("select count(*) from site where created_run = 1") == [26])
        #expect(try await numbers("select count(*) from sales_doc where not is_stub") == [5])
        let waiting = try await connection.run(
            AdHoc<String>(
                "select a.name || ' ' || q.code from quarantine q join artifact a on a.id = q.artifact_id order by 1"
            ))
        #expect(
            waiting == [
                "01.01a-INVOICE_ubl.xml MATCH-NONE", "BIS3_Invoice_negativ.XML MATCH-NONE",
                "custom-namespace-prefixes.xml FIELD-REQUIRED", "issue116.xml MATCH-NONE",
                "sample-discount-price.xml MATCH-NONE", "ubl-tc434-example1.xml MATCH-NONE",
            ])
        let written =
            "select max(xmin::text::bigint)::bigint from (select xmin from party union all select xmin from site union all select xmin from sales_doc union all select xmin from field_claim union all select xmin from quarantine) t"
        let before = try await numbers(written)
        let third = try await RelaisCommand.run(
            ["import", accounts] + (try invoices()), environment: environment)
        #expect(third.status == 3)
        #expect(try await numbers(written) == before)
        await connection.close()
    }
}
