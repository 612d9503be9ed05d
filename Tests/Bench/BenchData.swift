// SPDX-License-Identifier: Apache-2.0
// Generated files of the sizes that the design names, a tenth by default; deterministic.

internal import Foundation

/// The files that all readers read.
struct BenchData {
    /// UBL-like invoices in one batch file.
    let xml: URL
    /// Invoices of 12 columns in Windows-1252 with French amounts and dates, and the same in UTF-8.
    let csv: URL
    let csvInUTF8: URL
    let xmlBytes: Double
    let csvBytes: Double

    init(folder: URL, _ only: String?) throws {
        xml = folder.appending(path: "factures.xml")
        csv = folder.appending(path: "factures.csv")
        csvInUTF8 = folder.appending(path: "factures-utf8.csv")
        xmlBytes =
            only == nil || only == "xml"
            ? try Self.write(
                xml, .utf8, count: 200_000 / Self.divisor, head: Self.head, tail: "</lot>\n", Self.invoice)
            : 0
        guard only == nil || only == "csv" else {
            csvBytes = 0
            return
        }
        csvBytes = try Self.write(
            csv, .windowsCP1252, count: 1_000_000 / Self.divisor, head: Self.columns, tail: ""
        ) { Self.row($0) }
        _ = try Self.write(
            csvInUTF8, .utf8, count: 1_000_000 / Self.divisor, head: Self.columns, tail: ""
        ) { Self.row($0) }
    }

    /// `RELAIS_BENCH_DIVISOR=100` makes a hundredth of the data, to try something out.
    static let divisor = max(
        1, ProcessInfo.processInfo.environment["RELAIS_BENCH_DIVISOR"].flatMap(Int.init) ?? 1)

    private static func write(
        _ url: URL, _ encoding: String.Encoding, count: Int, head: String, tail: String,
        _ record: (Int) -> String
    ) throws -> Double {
        _ = FileManager.default.createFile(atPath: url.path, contents: nil)
        let file = try FileHandle(forWritingTo: url)
        defer { try? file.close() }
        var size = 0
        var batch = head
        func flush() throws {
            let bytes = batch.data(using: encoding) ?? Data()
            size += bytes.count
            try file.write(contentsOf: bytes)
            batch = ""
        }
        for number in 0..<count {
            batch += record(number)
            if number % 1000 == 999 { try flush() }
        }
        batch += tail
        try flush()
        return Double(size)
    }

    static let columns = """
        NumFacture;DateFacture;DateEcheance;CodeClient;RaisonSociale;SIREN;NumTVA;Devise;MontantHT;MontantTVA;\
        MontantTTC;Statut

        """

    /// An account of the clients that the invoices name.
    static func account(_ client: Int) -> String {
        let siren = withCheckDigit(String(99_100_000 + client))
        return
            "C\(client),Établissements Durand \(client),\(siren),,,\"\(client), rue du Bac\",35000,RENNES,\n"
    }

    /// The invoice of ``row(_:clients:extra:)`` as clean text for COPY.
    static func cleanRow(_ number: Int, clients: Int) -> String {
        let net = 10_000 + number * 7 % 1_000_000
        let tax = (net + 2) / 5
        func plain(_ cents: Int) -> String { "\(cents / 100).\(twoDigits(cents % 100))" }
        let day = "\(twoDigits(number % 12 + 1))-\(twoDigits(number % 28 + 1))"
        return """
            FA-\(number)\t2026-\(day)\t2027-\(day)\tC\(number % clients)\t\(plain(net))\t\(plain(tax))\t\
            \(plain(net + tax))\topen

            """
    }

    static func row(_ number: Int) -> String { row(number, clients: 20_000) }

    static func row(_ number: Int, clients: Int, extra: Int = 0) -> String {
        let client = number % clients
        let siren = withCheckDigit(String(99_100_000 + client))
        let key = String((12 + 3 * ((Int(siren) ?? 0) % 97)) % 97)
        let vat = "FR" + (key.count == 1 ? "0" : "") + key + siren
        let net = 10_000 + number * 7 % 1_000_000 + extra
        let tax = (net + 2) / 5
        let month = number % 12 + 1
        let day = number % 28 + 1
        let name =
            client % 5 == 0 ? "\"Société \"\"Le Chêne\"\"; n° \(client)\"" : "Établissements Durand \(client)"
        let status = ["payée", "impayée", "partielle"][number % 3]
        return """
            FA-\(number);\(twoDigits(day))/\(twoDigits(month))/2026;\(twoDigits(day))/\(twoDigits(month))/2027;\
            C\(client);\(name);\(siren);\(vat);EUR;\(amount(net));\(amount(tax));\(amount(net + tax));\(status)

            """
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }

    /// Cents in French form.
    private static func amount(_ cents: Int) -> String { "\(cents / 100),\(twoDigits(cents % 100))" }

    static let head = """
        <?xml version="1.0" encoding="UTF-8"?>
        <lot xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" \
        xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">

        """

    static func invoice(_ number: Int) -> String {
        func party(_ tag: String, _ name: String, _ siren: Int) -> String {
            """
            <cac:\(tag)><cac:Party><cac:PostalAddress><cbc:StreetName>\(number % 90), rue du Bac</cbc:StreetName>\
            <cbc:CityName>Rennes</cbc:CityName><cbc:PostalZone>35000</cbc:PostalZone><cac:Country>\
            <cbc:IdentificationCode>FR</cbc:IdentificationCode></cac:Country></cac:PostalAddress><cac:PartyLegalEntity>\
            <cbc:RegistrationName>\(name)</cbc:RegistrationName><cbc:CompanyID schemeID="0002">\(siren)</cbc:CompanyID>\
            </cac:PartyLegalEntity></cac:Party></cac:\(tag)>
            """
        }
        let lines = (1...5).map { line in
            """
            <cac:InvoiceLine><cbc:ID>\(line)</cbc:ID><cbc:InvoicedQuantity unitCode="C62">\(line)</cbc:InvoicedQuantity>\
            <cbc:LineExtensionAmount currencyID="EUR">\(line * 10).00</cbc:LineExtensionAmount><cac:Item>\
            <cbc:Name>Article numéro \(line)</cbc:Name></cac:Item><cac:Price><cbc:PriceAmount currencyID="EUR">10.00\
            </cbc:PriceAmount></cac:Price></cac:InvoiceLine>

            """
        }.joined()
        return """
            <Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><cbc:ID>FA-\(number)</cbc:ID>\
            <cbc:IssueDate>2026-0\(number % 9 + 1)-15</cbc:IssueDate><cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>\
            <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>\
            \(party("AccountingSupplierParty", "Vendeur SA", 990_000_010))\
            \(party("AccountingCustomerParty", "Client \(number)", 991_002_015))\
            <cac:TaxTotal><cbc:TaxAmount currencyID="EUR">30.00</cbc:TaxAmount><cac:TaxSubtotal>\
            <cbc:TaxableAmount currencyID="EUR">150.00</cbc:TaxableAmount><cbc:TaxAmount currencyID="EUR">30.00\
            </cbc:TaxAmount><cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>20</cbc:Percent></cac:TaxCategory>\
            </cac:TaxSubtotal></cac:TaxTotal><cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="EUR">150.00\
            </cbc:LineExtensionAmount><cbc:TaxExclusiveAmount currencyID="EUR">150.00</cbc:TaxExclusiveAmount>\
            <cbc:TaxInclusiveAmount currencyID="EUR">180.00</cbc:TaxInclusiveAmount><cbc:PayableAmount currencyID="EUR">\
            180.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
            \(lines)</Invoice>

            """
    }

    /// The digits with one more, so that Luhn's check holds.
    private static func withCheckDigit(_ digits: String) -> String {
        let sum = digits.utf8.reversed().enumerated().reduce(0) { sum, digit in
            let value = Int(digit.element - UInt8(ascii: "0")) * (digit.offset.isMultiple(of: 2) ? 2 : 1)
            return sum + (value > 9 ? value - 9 : value)
        }
        return digits + String((10 - sum % 10) % 10)
    }
}
