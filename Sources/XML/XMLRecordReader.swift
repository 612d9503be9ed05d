// SPDX-License-Identifier: Apache-2.0
// Reads records out of XML of any size in constant memory, with libxml2's SAX2 push parser.

internal import CLibXML2
internal import Diagnostics

/// A push reader: bytes in, captured records out.
///
/// Safe on hostile files: a DOCTYPE stops it, nothing outside the file is ever loaded, and ``XMLLimits`` bound
/// depth, text, attributes and records. Memory holds the records of one piece and the mapped text of the
/// largest record, never the file.
@safe
package final class XMLRecordReader {
    private let state: UnsafeMutablePointer<SAXState>
    private let context: xmlParserCtxtPtr
    private var bytesRead = 0

    /// A reader of one document.
    ///
    /// - Throws: `XML-MEMORY` when libxml2 cannot allocate its parser.
    package init(_ trie: PathTrie, limits: XMLLimits = XMLLimits()) throws(XMLError) {
        Self.prepareLibrary
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: SAXState(trie, limits: limits))
        var handler = unsafe Self.makeHandler()
        guard let context = unsafe xmlCreatePushParserCtxt(&handler, state, nil, 0, nil) else {
            unsafe state.pointee.deallocate()
            unsafe state.deallocate()
            throw XMLError(.memory)
        }
        unsafe self.context = context
        // No network, and none of the options that expand entities, load DTDs or lift libxml2's own limits.
        _ = unsafe xmlCtxtUseOptions(context, Int32(XML_PARSE_NONET.rawValue))
        unsafe state.pointee.context = context
        unsafe state.pointee.intern(trie)
    }

    deinit {
        unsafe xmlFreeParserCtxt(context)
        unsafe state.pointee.deallocate()
        unsafe state.deallocate()
    }

    /// Parses the next bytes of the file and hands over each record that ended in them.
    ///
    /// A record is valid during its call only.
    /// - Throws: ``XMLError`` with line and column, after the records before the fault; what `body` throws.
    package func feed(_ bytes: [UInt8], _ body: (CapturedRecord) throws -> Void) throws {
        try parse(bytes, isLast: false, body)
    }

    /// Ends the document.
    ///
    /// - Throws: `XML-EMPTY`, `XML-TRUNCATED` and everything that ``feed(_:_:)`` throws.
    package func finish(_ body: (CapturedRecord) throws -> Void) throws {
        try parse([], isLast: true, body)
    }

    private func parse(_ bytes: [UInt8], isLast: Bool, _ body: (CapturedRecord) throws -> Void) throws {
        bytesRead += bytes.count
        let code = unsafe bytes.withUnsafeBytes { buffer in
            unsafe xmlParseChunk(
                context, buffer.bindMemory(to: CChar.self).baseAddress, Int32(buffer.count), isLast ? 1 : 0)
        }
        for index in 0..<(unsafe state.pointee.finished.count) {
            try body(unsafe CapturedRecord(state: state, record: state.pointee.finished.start[index]))
        }
        unsafe state.pointee.dropFinished()
        if let error = error(code, isLast: isLast) { throw error }
    }

    private func error(_ code: Int32, isLast: Bool) -> XMLError? {
        if let failure = unsafe state.pointee.failure {
            let place = unsafe Place(line: state.pointee.failureLine, column: state.pointee.failureColumn)
            return XMLError(failure, facts(of: failure), at: place)
        }
        let complaint = unsafe state.pointee.complaint != 0 ? state.pointee.complaint : code
        guard complaint != 0 else { return nil }
        guard bytesRead > 0, unsafe !isLast || state.pointee.hasRoot else { return XMLError(.empty) }
        let words = unsafe state.pointee.complaintWords.map { unsafe String(cString: $0) } ?? ""
        let place = unsafe Place(line: state.pointee.complaintLine, column: state.pointee.complaintColumn)
        let endedEarly = unsafe isLast && state.pointee.depth > 0
        return XMLError(
            Self.meaning(of: complaint, endedEarly: endedEarly),
            ["detail": words.split(whereSeparator: \.isNewline).joined(separator: " ")], at: place)
    }

    private func facts(of failure: XMLError.Code) -> [String: String] {
        let limits = unsafe state.pointee.limits
        return switch failure {
        case .depth: ["limit": String(limits.depth)]
        case .text: ["limit": String(limits.text)]
        case .attributes: ["limit": String(limits.attributes), "bytes": String(limits.attributeBytes)]
        case .record: ["limit": String(limits.record)]
        case .elements: ["limit": String(limits.elements)]
        default: [:]
        }
    }

    private static func meaning(of complaint: Int32, endedEarly: Bool) -> XMLError.Code {
        // Below zero, libxml2 could not convert the encoding and has no number for it.
        guard complaint > 0 else { return .encoding }
        return switch xmlParserErrors(UInt32(complaint)) {
        case XML_ERR_DOCUMENT_EMPTY: .empty
        case XML_ERR_INVALID_ENCODING, XML_ERR_UNKNOWN_ENCODING, XML_ERR_UNSUPPORTED_ENCODING,
            XML_ERR_INVALID_CHAR:
            .encoding
        case XML_ERR_NO_MEMORY: .memory
        case XML_ERR_DOCUMENT_END, XML_ERR_TAG_NOT_FINISHED: .truncated
        default: endedEarly ? .truncated : .malformed
        }
    }

    // MARK: - libxml2

    /// Once a process: no entity loader at all, so that nothing outside the file can ever be read.
    static let prepareLibrary: Void = {
        xmlInitParser()
        unsafe xmlSetExternalEntityLoader { _, _, _ in nil }
        // What no parser's own handler hears (encodings) would be printed; the result tells of it anyway.
        unsafe xmlSetStructuredErrorFunc(nil) { _, _ in }
        relais_xml_silence()
    }()

    /// Callbacks that capture nothing; each forwards to the state.
    private static func makeHandler() -> xmlSAXHandler {
        var handler = unsafe xmlSAXHandler()
        unsafe handler.initialized = UInt32(XML_SAX2_MAGIC)
        unsafe handler.startElementNs = { user, local, _, namespace, _, _, count, _, attributes in
            unsafe user?.assumingMemoryBound(to: SAXState.self).pointee
                .start(local, namespace, Int(count), attributes)
        }
        unsafe handler.endElementNs = { user, _, _, _ in
            unsafe user?.assumingMemoryBound(to: SAXState.self).pointee.end()
        }
        unsafe handler.characters = { user, text, count in
            guard let text = unsafe text else { return }
            unsafe user?.assumingMemoryBound(to: SAXState.self).pointee.characters(text, Int(count))
        }
        unsafe handler.ignorableWhitespace = handler.characters
        unsafe handler.cdataBlock = handler.characters
        unsafe handler.internalSubset = { user, _, _, _ in
            unsafe user?.assumingMemoryBound(to: SAXState.self).pointee.fail(.doctype)
        }
        unsafe handler.externalSubset = handler.internalSubset
        unsafe handler.entityDecl = { user, _, _, _, _, _ in
            unsafe user?.assumingMemoryBound(to: SAXState.self).pointee.fail(.doctype)
        }
        unsafe handler.serror = { user, error in
            guard let error = unsafe error else { return }
            unsafe user?.assumingMemoryBound(to: SAXState.self).pointee.complain(error)
        }
        return unsafe handler
    }
}
