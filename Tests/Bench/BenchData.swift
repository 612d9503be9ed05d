// SPDX-License-Identifier: Apache-2.0
// Generated files of the sizes that the design names, a tenth by default; deterministic.

internal import Foundation

/// The files that all readers read.
struct BenchData {
    /// UBL-like invoices in one batch file.
    let xml: URL
    /// Accounts, UTF-8.
    let csv: URL
    let xmlBytes: Double
    let csvBytes: Double

    init(folder: URL) throws {
        xml = folder.appending(path: "factures.xml")
        csv = folder.appending(path: "comptes.csv")
        xmlBytes = Double(try Self.write(xml, count: 20_000, head: Self.head, tail: "</lot>\n", Self.invoice))
        csvBytes = Double(
            try Self.write(
                csv, count: 100_000,
                head: "id,name,siren,siret,tva,street,postcode,city,phone,email,email_domain,iban\n",
                tail: "", Self.account))
    }

    private static func write(
        _ url: URL, count: Int, head: String, tail: String, _ record: (Int) -> String
    ) throws -> Int {
        var bytes = Data(head.utf8)
        for number in 0..<count { bytes.append(Data(record(number).utf8)) }
        bytes.append(Data(tail.utf8))
        try bytes.write(to: url)
        return bytes.count
    }

    private static let head = """
        <?xml version="1.0" encoding="UTF-8"?>
        <lot xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" \
        xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">

        """

    private static func invoice(_ number: Int) -> String {
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

    private static func account(_ number: Int) -> String {
        let siren = withCheckDigit(String(99_100_000 + number % 900_000))
        let key = String((12 + 3 * ((Int(siren) ?? 0) % 97)) % 97)
        let vat = "FR" + (key.count == 1 ? "0" : "") + key + siren
        return """
            C\(number),Établissements Numéro \(number),\(siren),\(withCheckDigit(siren + "0001")),\(vat),\
            "\(number % 99), rue de l’Église",35000,RENNES,02 99 00 00 00,contact\(number)@exemple.fr,exemple.fr,\
            FR7699999000000000000000000

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
