// SPDX-License-Identifier: Apache-2.0
// What was kept of one record: a small tree of captured elements and attributes in document order.

/// A record at its end, still in the reader's memory; valid only during the call that gets it.
@safe
package struct CapturedRecord {
    private let state: UnsafeMutablePointer<SAXState>
    private let record: FinishedRecord
    private let trie: PathTrie

    init(state: UnsafeMutablePointer<SAXState>, record: FinishedRecord, trie: PathTrie) {
        unsafe self.state = state
        self.record = record
        self.trie = trie
    }

    /// Number of captured elements and attributes; number 0 is the record element, children follow parents.
    package var count: Int { record.end - record.first }
    /// Name of the record element.
    package var name: XMLName { trie.records[record.name] }
    /// One-based line where the record's start tag ends.
    package var line: Int { record.line }
    /// An offset inside the record's start tag, and the one behind its end tag.
    package var offsets: (inStartTag: Int, end: Int) { (record.startOffset, record.endOffset) }

    /// The trie node of capture `index`.
    package func node(_ index: Int) -> PathTrie.Node { Int(instance(index).node) }

    /// Number of the capture around capture `index`; −1 for the record element.
    package func parent(_ index: Int) -> Int {
        let parent = Int(instance(index).parent)
        return parent < 0 ? -1 : parent - record.first
    }

    /// Number behind the last capture inside capture `index`.
    package func end(_ index: Int) -> Int { Int(instance(index).end) - record.first }

    /// The kept text of capture `index`, without blanks at both ends.
    package func text(_ index: Int) -> String {
        let instance = instance(index)
        var bytes = unsafe UnsafeBufferPointer(
            start: state.pointee.arena.start + instance.textStart, count: instance.textCount)[...]
        while let first = unsafe bytes.first, Self.isBlank(first) { unsafe bytes.removeFirst() }
        while let last = unsafe bytes.last, Self.isBlank(last) { unsafe bytes.removeLast() }
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    private func instance(_ index: Int) -> Instance {
        precondition(index >= 0 && index < count)
        return unsafe state.pointee.instances.start[record.first + index]
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
}
