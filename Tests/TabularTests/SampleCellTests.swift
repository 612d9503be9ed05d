// SPDX-License-Identifier: Apache-2.0
// Tables that others wrote, cell by cell; runs where the samples are at hand.

import Foundation
import RelaisTesting
import Tabular
import Testing

@Suite(.enabled("the samples are not here: set RELAIS_SAMPLES", { Repository.samples != nil }))
struct SampleCellTests {
    @Test func `every cell of every table is the expected one`() throws {
        let folder = try #require(Repository.samples).appending(path: "erp")
        let data = try Data(contentsOf: folder.appending(path: "expected.json"))
        let answers = try #require(try JSONSerialization.jsonObject(with: data) as? [String: [String: Any]])
        var compared = 0
        for (name, answer) in answers where name.hasPrefix("csv/") {
            guard let cells = answer["cells"] as? [[String]], let mark = answer["separator"] as? String else {
                continue
            }
            let bytes = Array(try Data(contentsOf: folder.appending(path: name)))
            var probe = EncodingProbe()
            probe.feed(bytes)
            probe.finish()
            var reader = CSVReader(
                CSVDialect(delimiter: try #require(mark.utf8.first)),
                encoding: try probe.choose(from: [.utf8BOM, .utf8, .windows1252]), mark: probe.mark)
            try reader.append(bytes)
            var rows: [[String]] = []
            while try reader.next(isLast: true) {
                rows.append(try reader.fields.indices.map { try reader.text($0) })
            }
            #expect(rows == cells, "\(name)")
            compared += 1
        }
        #expect(compared == 10)
    }
}
