// SPDX-License-Identifier: Apache-2.0
// Counts every path of an XML file, to tell what a mapping leaves unread.

internal import CLibXML2

/// The paths of a file below its record elements, and how often each occurs.
@safe
package final class XMLCensus {
    /// One path below a record.
    package struct Entry: Sendable {
        /// Elements from the record down, the attribute last.
        package let path: [String]
        /// How often it occurs with text that is not blank.
        package var count = 0
    }

    @safe
    private struct State {
        let records: [XMLName]
        var stack: [String] = []
        var recordDepth = 0
        var depth = 0
        var hasText: [Bool] = []
        var counts: [[String]: Int] = [:]
        var context: xmlParserCtxtPtr?

        /// Different paths that are counted at most.
        private static let limit = 10_000

        mutating func add(_ path: [String]) {
            guard counts[path] != nil || counts.count < Self.limit else { return }
            counts[path, default: 0] += 1
        }
    }

    private let state: UnsafeMutablePointer<State>

    /// A census of the records with these names.
    package init(records: [XMLName]) {
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State(records: records))
    }

    deinit {
        unsafe xmlFreeParserCtxt(state.pointee.context)
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// Looks at the next bytes; what is wrong with the XML is for its reader to say.
    package func feed(_ bytes: [UInt8]) {
        XMLRecordReader.prepareLibrary
        if unsafe state.pointee.context == nil {
            var handler = unsafe Self.makeHandler()
            unsafe state.pointee.context = xmlCreatePushParserCtxt(&handler, state, nil, 0, nil)
            _ = unsafe xmlCtxtUseOptions(state.pointee.context, Int32(XML_PARSE_NONET.rawValue))
        }
        unsafe bytes.withUnsafeBytes { buffer in
            _ = unsafe xmlParseChunk(
                state.pointee.context, buffer.bindMemory(to: CChar.self).baseAddress, Int32(buffer.count), 0)
        }
    }

    /// The paths, in alphabetical order.
    package var entries: [Entry] {
        unsafe state.pointee.counts.map { Entry(path: $0.key, count: $0.value) }
            .sorted { $0.path.joined(separator: "/") < $1.path.joined(separator: "/") }
    }

    private static func makeHandler() -> xmlSAXHandler {
        var handler = unsafe xmlSAXHandler()
        unsafe handler.initialized = UInt32(XML_SAX2_MAGIC)
        unsafe handler.startElementNs = { user, local, _, namespace, _, _, count, _, attributes in
            guard let user = unsafe user, let local = unsafe local else { return }
            let state = unsafe user.assumingMemoryBound(to: State.self)
            let name = unsafe String(cString: local)
            unsafe state.pointee.depth += 1
            if unsafe state.pointee.recordDepth == 0 {
                let element = unsafe XMLName(
                    name, namespace: namespace.map { unsafe String(cString: $0) })
                guard unsafe state.pointee.records.contains(where: { $0.matches(element) }) else { return }
                unsafe state.pointee.recordDepth = state.pointee.depth
            } else {
                unsafe state.pointee.stack.append(name)
            }
            unsafe state.pointee.hasText.append(false)
            for index in 0..<Int(count) {
                guard let attribute = unsafe attributes?[index * 5] else { continue }
                unsafe state.pointee.add(state.pointee.stack + ["@" + String(cString: attribute)])
            }
        }
        unsafe handler.characters = { user, text, count in
            guard let user = unsafe user, let text = unsafe text else { return }
            let state = unsafe user.assumingMemoryBound(to: State.self)
            guard let last = unsafe state.pointee.hasText.indices.last else { return }
            for index in 0..<Int(count) where unsafe text[index] > 32 {
                unsafe state.pointee.hasText[last] = true
                return
            }
        }
        unsafe handler.cdataBlock = handler.characters
        unsafe handler.endElementNs = { user, _, _, _ in
            guard let user = unsafe user else { return }
            let state = unsafe user.assumingMemoryBound(to: State.self)
            defer { unsafe state.pointee.depth -= 1 }
            guard unsafe state.pointee.recordDepth > 0 else { return }
            let hadText = unsafe state.pointee.hasText.popLast() ?? false
            if hadText { unsafe state.pointee.add(state.pointee.stack) }
            if unsafe state.pointee.depth == state.pointee.recordDepth {
                unsafe state.pointee.recordDepth = 0
            } else {
                unsafe state.pointee.stack.removeLast()
            }
        }
        unsafe handler.internalSubset = { user, _, _, _ in
            guard let user = unsafe user else { return }
            unsafe xmlStopParser(user.assumingMemoryBound(to: State.self).pointee.context)
        }
        unsafe handler.serror = { _, _ in }
        return unsafe handler
    }
}

extension XMLName {
    /// Whether an element has this name; a namespace that ends in `*` stands for all that begin like it.
    package func matches(_ other: XMLName) -> Bool {
        guard local == other.local else { return false }
        guard let namespace, namespace.hasSuffix("*") else { return namespace == other.namespace }
        return other.namespace?.hasPrefix(namespace.dropLast()) ?? false
    }
}
