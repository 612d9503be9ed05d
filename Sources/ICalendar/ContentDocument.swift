// SPDX-License-Identifier: Apache-2.0
// An iCalendar object or vCard as it was sent: its bytes, and the components that they write.

package import Diagnostics

/// A document whose bytes stay as they are; components and lines are a view of them.
package struct ContentDocument: Sendable {
    /// The document as it was sent.
    package let bytes: [UInt8]
    /// The components at the top, such as one VCALENDAR, or each VCARD of a file.
    package let components: [Component]
    /// What is wrong with the document, by line; at most a hundred.
    package let findings: [Diagnostic]

    /// Reads a document, tolerantly: any line ends, a byte order mark, NUL, Windows-1252, lines and ends that
    /// belong to nothing.
    ///
    /// - Throws: `ICALENDAR-SIZE`, `-LINES` and `-DEPTH` beyond the limits, `-NO-COMPONENT` where nothing
    /// begins.
    package init(parsing bytes: [UInt8], limits: ContentLimits = .object) throws(ICalendarError) {
        guard bytes.count <= limits.bytes else {
            throw ICalendarError(.size, ["limit": String(limits.bytes), "size": String(bytes.count)])
        }
        var builder = ComponentBuilder(limits)
        var scanner = ContentLineScanner(bytes)
        while let line = scanner.next() {
            try builder.take(line)
            scanner.keepsBlanks = builder.isOldCard
        }
        builder.finish(at: bytes.count)
        guard !builder.roots.isEmpty else { throw ICalendarError(.noComponent) }
        self.bytes = bytes
        components = builder.roots
        findings = builder.findings
    }
}

/// Puts lines into components; the open ones stand in an array, so that depth costs no stack.
private struct ComponentBuilder {
    private let limits: ContentLimits
    private var lines = 0
    private var open: [Component] = []
    private(set) var roots: [Component] = []
    private(set) var findings: [Diagnostic] = []
    /// Whether the lines belong to a vCard 2.1.
    private(set) var isOldCard = false

    init(_ limits: ContentLimits) {
        self.limits = limits
    }

    mutating func take(_ source: ContentLineScanner.Line) throws(ICalendarError) {
        lines += 1
        guard lines <= limits.lines else {
            throw ICalendarError(.lines, ["limit": String(limits.lines)], at: Place(line: source.number))
        }
        let isCard = open.last?.name == "VCARD"
        guard let (line, isUTF8) = ContentLineParser.parse(source, allowsGroup: isCard) else {
            note(.malformedLine, source)
            return
        }
        if source.hasNUL { note(.nul, source, line.name) }
        if !isUTF8 { note(.encoding, source, line.name) }
        switch line.name {
        case "BEGIN": try begin(line)
        case "END": end(line, source)
        default: add(line, source, isCard: isCard)
        }
    }

    /// Closes what is still open.
    mutating func finish(at end: Int) {
        while let component = open.last {
            note(.unbalanced, Place(line: component.number, field: "BEGIN", value: component.name))
            close(at: end)
        }
    }

    private mutating func begin(_ line: ContentLine) throws(ICalendarError) {
        guard open.count < limits.depth else {
            throw ICalendarError(.depth, ["limit": String(limits.depth)], at: Place(line: line.number))
        }
        isOldCard = false
        open.append(
            Component(
                name: line.value.trimmingBlanks.uppercased(), place: line.place,
                insertion: line.place.upperBound,
                number: line.number))
    }

    private mutating func end(_ line: ContentLine, _ source: ContentLineScanner.Line) {
        let name = line.value.trimmingBlanks.uppercased()
        guard let index = open.lastIndex(where: { $0.name == name }) else {
            note(.unbalanced, source, "END")
            // A misspelt end inside of another component ends the innermost one.
            if open.count > 1 { close(at: line.place.upperBound) }
            return
        }
        while open.count > index + 1 {
            note(.unbalanced, source, "END")
            close(at: line.place.lowerBound)
        }
        close(at: line.place.upperBound)
    }

    private mutating func close(at end: Int) {
        guard var component = open.popLast() else { return }
        component.place = component.place.lowerBound..<end
        isOldCard = false
        if open.isEmpty {
            roots.append(component)
        } else {
            open[open.count - 1].components.append(component)
        }
    }

    private mutating func add(_ line: ContentLine, _ source: ContentLineScanner.Line, isCard: Bool) {
        guard !open.isEmpty else { return note(.malformedLine, source, line.name) }
        if isCard, line.name == "VERSION" { isOldCard = line.value.trimmingBlanks == "2.1" }
        open[open.count - 1].properties.append(line)
        open[open.count - 1].insertion = line.place.upperBound
    }

    private mutating func note(
        _ finding: ICalendarFinding, _ source: ContentLineScanner.Line, _ field: String? = nil
    ) {
        let text = WesternText.decodeAny(Array(source.bytes.prefix(200))).text
        note(finding, Place(line: source.number, field: field, value: text))
    }

    private mutating func note(_ finding: ICalendarFinding, _ place: Place) {
        if findings.count < ContentLimits.findings { findings.append(finding.at(place)) }
    }
}
