// SPDX-License-Identifier: Apache-2.0
// Reads lists out of XML that another machine answered.

internal import Foundation
internal import XML

/// The elements of one name, and texts inside each.
struct XMLAnswers {
    /// Texts by their paths; a path that is not there has none.
    typealias Entry = [[String]: String]

    private var trie: PathTrie
    private var paths: [Int: [String]] = [:]

    /// - Parameter paths: names of elements from the element called `name` to what is wanted.
    init(_ name: String, namespace: String, _ paths: [[String]]) {
        trie = PathTrie(records: [XMLName(name, namespace: namespace)])
        for path in paths {
            var node = PathTrie.record
            for step in path { node = trie.element(XMLName(step, namespace: namespace), of: node) }
            trie.keepText(of: node)
            self.paths[Int(node)] = path
        }
    }

    /// The elements, in order.
    func read(_ bytes: [UInt8]) throws -> [Entry] {
        var entries: [Entry] = []
        var captures: [Capture] = []
        var texts: [UInt8] = []
        func take(_ record: CapturedRecord) {
            captures.removeAll(keepingCapacity: true)
            texts.removeAll(keepingCapacity: true)
            record.copy(into: &captures, &texts)
            var entry = Entry()
            for capture in captures {
                guard let path = paths[Int(capture.node)] else { continue }
                let range = capture.textStart..<capture.textStart + Int(capture.textCount)
                entry[path] = String(decoding: texts[range], as: UTF8.self)
                    .trimmingCharacters(in: .whitespacesAndNewlines)
            }
            entries.append(entry)
        }
        let reader = try XMLRecordReader(trie)
        try reader.feed(bytes, take)
        try reader.finish(take)
        return entries
    }
}
