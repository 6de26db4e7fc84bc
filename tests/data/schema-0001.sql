BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE authorisations (
	"key" TEXT NOT NULL, 
	secret BLOB NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "authorisations" VALUES('tiktok:4b307c48b71ad1e9c006249d60ac71f4',X'6741414141414272425534525979363238555747416658325539492D374B44426D3577734755767A3262716659624A4930505575313937785566684A42645630696D3373684C6C574147566D3345336D4C584F4A58377538395166474C56786554532D6A763358412D76675F5A754F6E764C4B3558424850454F6434744764495757454B76317A562D593530386D377637464B53384F622D4A585739356B662D784B3334324558726E5545574D2D376442333558705A666B505776634237333978306365327363374C41313477516331484D786E353077365966706A794A71416C69384246363737714A6148642D68614A796B7847734570756F7478624B3954693735397050466F5869357A556C6C5530636F32484345753935696C54473041736E3153507A4F595372353268322D715071436C7152694E51705F574B62453059485A534A716A42666A5744527238714A4E6256424879387654684F4F5353424739726A64545579697A5F4B4B597759625758364E7068714E46714434386477425F5A5352346E356163437A64657433394F7077626F594F46334245374C757748372D626335687362315759577841656638656665534E65764537576A3945436562487476516230794F56787844395F44525A616433553771666F3756794E61715141626A6B58536F3446433865415175366630423133506158444369374F724B4F55534532517044564439796F677434564345637A5470462D415F4F50663441354474644C3950703544424C4F6C7469797543756439526C6E755A78756A64496F6A627A4D3244426447785F74394A78787968354379386F616D79673245656F5A544B77694F5346725F4859416E5F516B364C35337178755670674F4F7271707A644A75777837436A753554464578716E773139385238636935696C53396765574F53434C6D36736E4D57503348392D53516C37545644365148506179735F5F51584D4E70514D724975397044466E34744D456E5872722D54494A734C48514A316E5676494E764A3168637847324C5856714E69545F5448534C5A50766D4D414D3536487678546472523167747563667A656B444745516455574F4F5A50526F454C4C334972517244577A6C58794B634C4C31555A4979634D4C6B70396B355062705070687A686A5348305F63694C6353714457794D4B685243646E37454B44317332334F5064423869304A465431704E674778542D6B78584F34565A54766A38524F7147717547476866',1772452800000);
CREATE TABLE connections (
	id TEXT NOT NULL, 
	paused_until BIGINT, 
	reason JSON, 
	PRIMARY KEY (id)
);
INSERT INTO "connections" VALUES('closed-shop',1772460601000,'{"code": "consent-needed", "what": "the consent has ended", "where": "closed-shop", "do": "hub connect closed-shop", "for_s": 300.0}');
CREATE TABLE cursors (
	connection TEXT NOT NULL, 
	stream TEXT NOT NULL, 
	value TEXT, 
	at BIGINT NOT NULL, 
	PRIMARY KEY (connection, stream)
);
INSERT INTO "cursors" VALUES('shop','orders','{"update_time_ge": 1772459700}',1772460301000);
INSERT INTO "cursors" VALUES('factory','products','{"updated_at_min": "2026-03-02T12:00:00.000Z", "second_look": false}',1772460301000);
INSERT INTO "cursors" VALUES('factory','watch','2026-03-02T14:05:01+00:00',1772460301000);
CREATE TABLE locations (
	connection TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	is_default BOOLEAN NOT NULL, 
	usable BOOLEAN NOT NULL, 
	PRIMARY KEY (connection, ref)
);
INSERT INTO "locations" VALUES('closed-shop','7000000000000000001','Pickup LA','ships',1,1);
INSERT INTO "locations" VALUES('closed-shop','7000000000000000002','Returns LA','returns',0,1);
CREATE TABLE memory (
	connection TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (connection, "key")
);
INSERT INTO "memory" VALUES('shop','shop:7495000000000000001','{"shop": {"id": "7495000000000000001", "name": "Simulated Shop", "region": "US", "cipher": "ROW_8042536398199314AAAA/cipher+=="}}');
INSERT INTO "memory" VALUES('factory','customer:tiktok:7495000000000000001','30001');
CREATE TABLE orders (
	id INTEGER NOT NULL, 
	connection TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	channel_status TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	first_seen_at BIGINT NOT NULL, 
	read_at BIGINT NOT NULL, 
	digest TEXT NOT NULL, 
	document TEXT NOT NULL, 
	route TEXT, 
	fate TEXT NOT NULL, 
	cause TEXT, 
	reason JSON, 
	release_at BIGINT, 
	due_at BIGINT, 
	hand TEXT, 
	placed_digest TEXT, 
	rechecks INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT one_row_per_channel_order UNIQUE (connection, ref)
);
INSERT INTO "orders" VALUES(1,'shop','576000000000000001','TT-576000000000000001','AWAITING_SHIPMENT',1772452740000,1772456340000,1772452800000,1772460301000,'54f1b19eb1f07d9f9c158f34243fc9b33fe5323f76901e3a39e9d338d1a2db8a','{"ref":"576000000000000001","key":"TT-576000000000000001","shop":"7495000000000000001","shop_name":"Simulated Shop","status":"open","channel_status":"AWAITING_SHIPMENT","created_at":"2026-03-02T11:59:00Z","updated_at":"2026-03-02T12:59:00Z","paid_at":"2026-03-02T11:59:00Z","region":"US","location_ref":"7004525755801517008","currency":"USD","lines":[{"ref":"577000000000000001","sku":"MUG","name":"Product MUG, Default","quantity":"1","price":"20.00","tax":"1.65","tax_rate":"8.2500","product_ref":"1729401861247237839","variant_ref":"1730756653187822917","location_ref":"7004525755801517008"},{"ref":"577000000000000002","sku":"MUG","name":"Product MUG, Default","quantity":"1","price":"20.00","tax":"1.65","tax_rate":"8.2500","product_ref":"1729401861247237839","variant_ref":"1730756653187822917","location_ref":"7004525755801517008"}],"totals":{"items":"40.00","tax":"3.30","total":"43.30"},"address":{"first_name":"Alex","last_name":"Doe","phone":"(+1)2130000001","line_1":"101 Sample St","line_2":"Unit 2","city":"Austin","state":"Texas","zip":"78701","country":"US"},"buyer":{"ref":"7021000000000000001","email":"sim1@chat.seller.example"}}','us','placed',NULL,'null',NULL,NULL,NULL,'577000000000000001:MUG:1|577000000000000002:MUG:1',0);
INSERT INTO "orders" VALUES(2,'shop','576000000000000002','TT-576000000000000002','AWAITING_SHIPMENT',1772452740000,1772456340000,1772452800000,1772460301000,'57ab1e910d8df1b33c737677d226987f553b644a6edc1948c630c741b90a524a','{"ref":"576000000000000002","key":"TT-576000000000000002","shop":"7495000000000000001","shop_name":"Simulated Shop","status":"open","channel_status":"AWAITING_SHIPMENT","created_at":"2026-03-02T11:59:00Z","updated_at":"2026-03-02T12:59:00Z","paid_at":"2026-03-02T11:59:00Z","region":"US","location_ref":"7004525755801517008","currency":"USD","lines":[{"ref":"577000000000000003","sku":"TEE","name":"Product TEE, Default","quantity":"1","price":"15.00","tax":"1.24","tax_rate":"8.2500","product_ref":"1729908317879965659","variant_ref":"1730696279147648089","location_ref":"7004525755801517008"}],"totals":{"items":"15.00","tax":"1.24","total":"16.24"},"address":{"first_name":"Sam","last_name":"Poe","phone":"(+1)2130000002","line_1":"102 Invented Rd","city":"Denver","state":"Colorado","zip":"80202","country":"US"},"buyer":{"ref":"7021000000000000002","email":"sim2@chat.seller.example"}}','us','placed',NULL,'null',NULL,NULL,NULL,'577000000000000003:TEE:1',0);
INSERT INTO "orders" VALUES(3,'shop','576000000000000004','TT-576000000000000004','AWAITING_SHIPMENT',1772452740000,1772456340000,1772452800000,1772460301000,'17369e6b28f6b3bd99990c0558e905444282b56d14d54be96a0b40af223321f6','{"ref":"576000000000000004","key":"TT-576000000000000004","shop":"7495000000000000001","shop_name":"Simulated Shop","status":"open","channel_status":"AWAITING_SHIPMENT","created_at":"2026-03-02T11:59:00Z","updated_at":"2026-03-02T12:59:00Z","paid_at":"2026-03-02T11:59:00Z","region":"US","location_ref":"7004525755801517008","currency":"USD","lines":[{"ref":"577000000000000005","sku":"MUG","name":"Product MUG, Default","quantity":"1","price":"20.00","tax":"1.65","tax_rate":"8.2500","product_ref":"1729401861247237839","variant_ref":"1730756653187822917","location_ref":"7004525755801517008"}],"totals":{"items":"20.00","tax":"1.65","total":"21.65"},"address":{"first_name":"Kim","last_name":"Field","phone":"(+1)2130000004","line_1":"104 Sample St","city":"Austin","state":"Texas","zip":"78701","country":"US"},"buyer":{"ref":"7021000000000000004","email":"sim4@chat.seller.example"}}','us','held','by-hand','null',NULL,NULL,'held',NULL,0);
INSERT INTO "orders" VALUES(4,'shop','576000000000000005','TT-576000000000000005','AWAITING_SHIPMENT',1772452740000,1772456340000,1772452800000,1772460301000,'112e9f860519a7152f3460f423abb15e404418428ddbcf8ea58968fafaddff32','{"ref":"576000000000000005","key":"TT-576000000000000005","shop":"7495000000000000001","shop_name":"Simulated Shop","status":"open","channel_status":"AWAITING_SHIPMENT","created_at":"2026-03-02T11:59:00Z","updated_at":"2026-03-02T12:59:00Z","paid_at":"2026-03-02T11:59:00Z","region":"US","location_ref":"7004525755801517008","currency":"USD","lines":[{"ref":"577000000000000006","sku":"HAT","name":"Product HAT, Default","quantity":"1","price":"9.00","tax":"0.74","tax_rate":"8.2500","product_ref":"1729113508642531455","variant_ref":"1730282486057775660","location_ref":"7004525755801517008"}],"totals":{"items":"9.00","tax":"0.74","total":"9.74"},"address":{"first_name":"Jo","last_name":"Brook","phone":"(+1)2130000005","line_1":"105 Invented Rd","line_2":"Unit 6","city":"Denver","state":"Colorado","zip":"80202","country":"US"},"buyer":{"ref":"7021000000000000005","email":"sim5@chat.seller.example"}}','us','blocked','variant-unmapped','[{"code": "variant-unmapped", "what": "SKU HAT (line 577000000000000006) has no variant in factory", "do": "Create the variant there, or map the SKU under orders/skus of route us; the order goes on by itself.", "skus": ["HAT"]}]',1772456340000,1772467501000,NULL,NULL,3);
INSERT INTO "orders" VALUES(5,'shop','576000000000000003','TT-576000000000000003','CANCELLED',1772452740000,1772452800000,1772452800000,1772456400000,'d999e78c2caf45c0a7f16adc02f9f47ff52f15145f9043aa30a2317f1a539bbe','{"ref":"576000000000000003","key":"TT-576000000000000003","shop":"7495000000000000001","shop_name":"Simulated Shop","status":"cancelled","channel_status":"CANCELLED","created_at":"2026-03-02T11:59:00Z","updated_at":"2026-03-02T12:00:00Z","paid_at":"2026-03-02T11:59:00Z","region":"US","location_ref":"7004525755801517008","currency":"USD","lines":[{"ref":"577000000000000004","sku":"MUG","name":"Product MUG, Default","quantity":"1","price":"20.00","tax":"1.65","tax_rate":"8.2500","status":"cancelled","product_ref":"1729401861247237839","variant_ref":"1730756653187822917","location_ref":"7004525755801517008"}],"totals":{"items":"20.00","tax":"1.65","total":"21.65"},"address":{"first_name":"R***","last_name":"S***","phone":"(+1)213-***-**03","line_1":"1*** Example Ave","line_2":"***","city":"S***","state":"California","zip":"95***","country":"US","masked":true},"buyer":{"ref":"7021000000000000003","email":"sim3@chat.seller.example"}}','us','cancelled',NULL,'null',NULL,NULL,NULL,NULL,0);
INSERT INTO "orders" VALUES(6,'shop','576000000000000007','TT-576000000000000007','ON_HOLD',1772459800000,1772459800000,1772460301000,1772460301000,'b6a4ea20a5629a8ba7127a9d55742b951245569386431f3bdd8c20057a0a24b2','{"ref":"576000000000000007","key":"TT-576000000000000007","shop":"7495000000000000001","shop_name":"Simulated Shop","status":"on-hold","channel_status":"ON_HOLD","created_at":"2026-03-02T13:56:40Z","updated_at":"2026-03-02T13:56:40Z","paid_at":"2026-03-02T13:56:40Z","hold_until":"2026-03-02T14:56:40Z","region":"US","location_ref":"7004525755801517008","currency":"USD","lines":[{"ref":"577000000000000008","sku":"TEA","name":"Product TEA, Default","quantity":"1","price":"7.00","tax":"0.58","tax_rate":"8.2500","product_ref":"1729646504691934700","variant_ref":"1730584482165798290","location_ref":"7004525755801517008"}],"totals":{"items":"7.00","tax":"0.58","total":"7.58"},"address":{"first_name":"T***","last_name":"R***","phone":"(+1)213-***-**07","zip":"78***","country":"US","masked":true},"buyer":{"ref":"7021000000000000007","email":"sim7@chat.seller.example"}}','us','held','channel-hold','null',1772463400000,1772463400000,NULL,NULL,0);
INSERT INTO "orders" VALUES(7,'shop','576000000000000006','TT-576000000000000006','AWAITING_SHIPMENT',1772456400000,1772460000000,1772460301000,1772460301000,'a69842f063b7603f83d1add71639d941490f9566c1701ef6c20ad611d029447d','{"ref":"576000000000000006","key":"TT-576000000000000006","shop":"7495000000000000001","shop_name":"Simulated Shop","status":"open","channel_status":"AWAITING_SHIPMENT","created_at":"2026-03-02T13:00:00Z","updated_at":"2026-03-02T14:00:00Z","paid_at":"2026-03-02T13:00:00Z","region":"US","location_ref":"7004525755801517008","currency":"USD","lines":[{"ref":"577000000000000007","sku":"TEA","name":"Product TEA, Default","quantity":"1","price":"7.00","tax":"0.58","tax_rate":"8.2500","product_ref":"1729646504691934700","variant_ref":"1730584482165798290","location_ref":"7004525755801517008"}],"totals":{"items":"7.00","tax":"0.58","total":"7.58"},"address":{"first_name":"Chris","last_name":"Hill","phone":"(+1)2130000006","line_1":"106 Example Ave","city":"San Jose","state":"California","zip":"95110","country":"US"},"buyer":{"ref":"7021000000000000006","email":"sim6@chat.seller.example"}}','us','ready',NULL,'null',1772460000000,NULL,NULL,NULL,0);
CREATE TABLE outbox (
	id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	target TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	order_id INTEGER NOT NULL, 
	priority INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	due_at BIGINT NOT NULL, 
	look_first BOOLEAN NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	deadline_at BIGINT, 
	payload TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT one_effect_per_key UNIQUE (target, kind, "key"), 
	FOREIGN KEY(order_id) REFERENCES orders (id)
);
INSERT INTO "outbox" VALUES(1,'place-order','factory','TT-576000000000000001',1,20,'done',1772456400000,0,1,1772456403000,'{"sales_order":{"key":{"key":"TT-576000000000000001","channel":"tiktok","shop":"7495000000000000001","ref":"576000000000000001","ordered_at":"2026-03-02T11:59:00Z"},"customer":{"reference":"tiktok:7495000000000000001","name":"Simulated Shop"},"currency":"USD","ordered_at":"2026-03-02T11:59:00Z","location_ref":null,"rows":[{"variant_ref":"10001","sku":"MUG","quantity":"2","price":"20"}],"address":{"first_name":"Alex","last_name":"Doe","phone":"(+1)2130000001","line_1":"101 Sample St","line_2":"Unit 2","city":"Austin","state":"Texas","zip":"78701","country":"US"}},"digest":"577000000000000001:MUG:1|577000000000000002:MUG:1","document":"54f1b19eb1f07d9f9c158f34243fc9b33fe5323f76901e3a39e9d338d1a2db8a"}');
INSERT INTO "outbox" VALUES(2,'place-order','factory','TT-576000000000000002',2,20,'done',1772456400000,0,1,1772456403000,'{"sales_order":{"key":{"key":"TT-576000000000000002","channel":"tiktok","shop":"7495000000000000001","ref":"576000000000000002","ordered_at":"2026-03-02T11:59:00Z"},"customer":{"reference":"tiktok:7495000000000000001","name":"Simulated Shop"},"currency":"USD","ordered_at":"2026-03-02T11:59:00Z","location_ref":null,"rows":[{"variant_ref":"10002","sku":"TEE","quantity":"1","price":"15"}],"address":{"first_name":"Sam","last_name":"Poe","phone":"(+1)2130000002","line_1":"102 Invented Rd","city":"Denver","state":"Colorado","zip":"80202","country":"US"}},"digest":"577000000000000003:TEE:1","document":"57ab1e910d8df1b33c737677d226987f553b644a6edc1948c630c741b90a524a"}');
INSERT INTO "outbox" VALUES(3,'place-order','factory','TT-576000000000000006',7,20,'unknown',1772460307000,0,1,1772460304000,'{"sales_order":{"key":{"key":"TT-576000000000000006","channel":"tiktok","shop":"7495000000000000001","ref":"576000000000000006","ordered_at":"2026-03-02T13:00:00Z"},"customer":{"reference":"tiktok:7495000000000000001","name":"Simulated Shop"},"currency":"USD","ordered_at":"2026-03-02T13:00:00Z","location_ref":null,"rows":[{"variant_ref":"10003","sku":"TEA","quantity":"1","price":"7"}],"address":{"first_name":"Chris","last_name":"Hill","phone":"(+1)2130000006","line_1":"106 Example Ave","city":"San Jose","state":"California","zip":"95110","country":"US"}},"digest":"577000000000000007:TEA:1","document":"a69842f063b7603f83d1add71639d941490f9566c1701ef6c20ad611d029447d"}');
CREATE TABLE route_starts (
	route TEXT NOT NULL, 
	start_at BIGINT NOT NULL, 
	PRIMARY KEY (route)
);
INSERT INTO "route_starts" VALUES('closed',1772452800000);
CREATE TABLE sales_orders (
	order_id INTEGER NOT NULL, 
	erp TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	number TEXT NOT NULL, 
	adopted BOOLEAN NOT NULL, 
	linked_at BIGINT NOT NULL, 
	PRIMARY KEY (order_id), 
	CONSTRAINT one_sales_order_per_key UNIQUE (erp, "key"), 
	CONSTRAINT one_channel_order_per_sales_order UNIQUE (erp, ref), 
	FOREIGN KEY(order_id) REFERENCES orders (id)
);
INSERT INTO "sales_orders" VALUES(1,'factory','TT-576000000000000001','1700002','TT-576000000000000001',0,1772456400000);
INSERT INTO "sales_orders" VALUES(2,'factory','TT-576000000000000002','1700001','TT-576000000000000002',0,1772456400000);
CREATE TABLE timeline (
	id INTEGER NOT NULL, 
	order_id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	event TEXT NOT NULL, 
	detail JSON NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(order_id) REFERENCES orders (id)
);
INSERT INTO "timeline" VALUES(1,1,1772452800000,'pulled','{"status": "ON_HOLD", "lines": 2, "total": "43.30", "currency": "USD"}');
INSERT INTO "timeline" VALUES(2,1,1772452800000,'held','{"cause": "channel-hold", "route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(3,2,1772452800000,'pulled','{"status": "ON_HOLD", "lines": 1, "total": "16.24", "currency": "USD"}');
INSERT INTO "timeline" VALUES(4,2,1772452800000,'held','{"cause": "channel-hold", "route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(5,3,1772452800000,'pulled','{"status": "ON_HOLD", "lines": 1, "total": "21.65", "currency": "USD"}');
INSERT INTO "timeline" VALUES(6,3,1772452800000,'held','{"cause": "channel-hold", "route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(7,4,1772452800000,'pulled','{"status": "ON_HOLD", "lines": 1, "total": "9.74", "currency": "USD"}');
INSERT INTO "timeline" VALUES(8,4,1772452800000,'held','{"cause": "channel-hold", "route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(9,5,1772452800000,'pulled','{"status": "CANCELLED", "lines": 1, "total": "21.65", "currency": "USD"}');
INSERT INTO "timeline" VALUES(10,5,1772452800000,'cancelled','{"route": "us"}');
INSERT INTO "timeline" VALUES(11,3,1772452800000,'held-by-hand','{"reason": "looks odd"}');
INSERT INTO "timeline" VALUES(12,3,1772452800000,'held','{"cause": "by-hand", "route": "us"}');
INSERT INTO "timeline" VALUES(13,1,1772456400000,'changed','{"status": "AWAITING_SHIPMENT", "total": "43.30"}');
INSERT INTO "timeline" VALUES(14,1,1772456400000,'held','{"cause": "hold", "route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(15,2,1772456400000,'changed','{"status": "AWAITING_SHIPMENT", "total": "16.24"}');
INSERT INTO "timeline" VALUES(16,2,1772456400000,'held','{"cause": "hold", "route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(17,3,1772456400000,'changed','{"status": "AWAITING_SHIPMENT", "total": "21.65"}');
INSERT INTO "timeline" VALUES(18,4,1772456400000,'changed','{"status": "AWAITING_SHIPMENT", "total": "9.74"}');
INSERT INTO "timeline" VALUES(19,4,1772456400000,'held','{"cause": "hold", "route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(20,1,1772456400000,'ready','{"route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(21,2,1772456400000,'ready','{"route": "us", "release_at": "2026-03-02T12:59:00+00:00"}');
INSERT INTO "timeline" VALUES(22,4,1772456400000,'blocked','{"cause": "variant-unmapped", "route": "us", "release_at": "2026-03-02T12:59:00+00:00", "problems": [{"code": "variant-unmapped", "what": "SKU HAT (line 577000000000000006) has no variant in factory", "do": "Create the variant there, or map the SKU under orders/skus of route us; the order goes on by itself.", "skus": ["HAT"]}]}');
INSERT INTO "timeline" VALUES(23,1,1772456400000,'sent','{"number": "TT-576000000000000001", "ref": "1700002", "currency": "USD", "total": "40"}');
INSERT INTO "timeline" VALUES(24,1,1772456400000,'placed','{"route": "us"}');
INSERT INTO "timeline" VALUES(25,2,1772456400000,'sent','{"number": "TT-576000000000000002", "ref": "1700001", "currency": "USD", "total": "15"}');
INSERT INTO "timeline" VALUES(26,2,1772456400000,'placed','{"route": "us"}');
INSERT INTO "timeline" VALUES(27,6,1772460301000,'pulled','{"status": "ON_HOLD", "lines": 1, "total": "7.58", "currency": "USD"}');
INSERT INTO "timeline" VALUES(28,6,1772460301000,'held','{"cause": "channel-hold", "route": "us", "release_at": "2026-03-02T14:56:40+00:00"}');
INSERT INTO "timeline" VALUES(29,7,1772460301000,'pulled','{"status": "AWAITING_SHIPMENT", "lines": 1, "total": "7.58", "currency": "USD"}');
INSERT INTO "timeline" VALUES(30,7,1772460301000,'held','{"cause": "hold", "route": "us", "release_at": "2026-03-02T14:00:00+00:00"}');
INSERT INTO "timeline" VALUES(31,7,1772460301000,'ready','{"route": "us", "release_at": "2026-03-02T14:00:00+00:00"}');
INSERT INTO "timeline" VALUES(32,7,1772460301000,'outcome-unknown','{"code": "no-answer", "what": "POST /v1/sales_orders got no whole answer (RemoteProtocolError)", "where": "factory, 127.0.0.1", "do": "The hub tries again by itself; if it lasts, check the network and the other side''s status page.", "until": "2026-03-02T14:05:07+00:00"}');
CREATE TABLE variants (
	connection TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	sku TEXT, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	gone BOOLEAN NOT NULL, 
	PRIMARY KEY (connection, ref)
);
INSERT INTO "variants" VALUES('factory','10003','TEA','Tea','product',0);
INSERT INTO "variants" VALUES('factory','10002','TEE','Tee','product',0);
INSERT INTO "variants" VALUES('factory','10001','MUG','Mug','product',0);
CREATE INDEX orders_due ON orders (connection, due_at);
CREATE INDEX orders_fate ON orders (fate, id);
CREATE INDEX orders_ref ON orders (ref);
CREATE INDEX outbox_work ON outbox (target, state, priority, due_at);
CREATE INDEX outbox_order ON outbox (order_id);
CREATE INDEX timeline_order ON timeline (order_id, id);
CREATE INDEX variants_sku ON variants (connection, sku);
COMMIT;
