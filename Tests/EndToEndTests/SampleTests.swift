// SPDX-License-Identifier: Apache-2.0
// Files that others wrote, with answers that others extracted; runs where the samples are at hand.

import Foundation
import PostgreSQL
import RelaisTesting
import Testing

@Suite(.enabled("the samples are not here: set RELAIS_SAMPLES", { Repository.samples != nil }))
struct SampleTests {
    private func folder() throws -> URL { try #require(Repository.samples) }

    private func invoices() throws -> [String] {
        let ubl = try folder().appending(path: "erp/ubl")
        return try FileManager.default.contentsOfDirectory(atPath: ubl.path).sorted().map {
            ubl.path + "/" + $0
        }
    }

    @Test func `every value of every UBL file is the expected one`() async throws {
        let data = try Data(contentsOf: try folder().appending(path: "erp/expected.json"))
        let expected = try #require(try JSONSerialization.jsonObject(with: data) as? [String: [String: Any]])
        let result = try await RelaisCommand.run(["map", "--json"] + (try invoices()))
        var compared = 0
        for line in result.output.split(separator: "\n") {
            let item = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let path = try #require(item["file"] as? String)
            let name = "ubl/" + (path.split(separator: "/").last ?? "")
            let answer = try #require(expected[name])
            let fields = try #require(item["fields"] as? [String: Any])
            compared += compare(fields, answer, name)
        }
        #expect(compared == 11 * 34)
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
        #expect(try await numbers("select count(*) from sales_doc") == [5])
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
