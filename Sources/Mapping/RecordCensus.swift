// SPDX-License-Identifier: Apache-2.0
// Counts every path of structured records, to tell what a mapping leaves unread.

internal import Diagnostics
internal import JSON

/// The paths of a file of objects, and how often each has a value.
final class RecordCensus {
    private let stream: String?
    private var reader = JSONRecordReader()
    private var counts: [[String]: Int] = [:]

    /// Different paths that are counted at most.
    private static let limit = 10_000

    init(stream: String?) {
        self.stream = stream
    }

    /// Looks at the next bytes; what is wrong with the JSON is for its reader to say.
    func feed(_ bytes: [UInt8]) {
        try? reader.feed(bytes) { found in
            guard let message = try? JSONParser.parse(found.bytes, line: found.line),
                let node = stream == nil ? message : message.singerRecord(of: stream)
            else { return }
            count(node, [])
        }
    }

    /// The paths, in alphabetical order.
    var entries: [(path: [String], count: Int)] {
        counts.map { ($0.key, $0.value) }.sorted { $0.0.joined(separator: "/") < $1.0.joined(separator: "/") }
    }

    private func count(_ node: JSONNode, _ path: [String]) {
        switch node {
        case .object(let members): for member in members { count(member.value, path + [member.key]) }
        case .array(let items): for item in items { count(item, path) }
        case .null: break
        case .string, .number, .boolean:
            guard node.text != "", counts[path] != nil || counts.count < Self.limit else { return }
            counts[path, default: 0] += 1
        }
    }
}
