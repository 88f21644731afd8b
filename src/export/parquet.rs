//! Tables as Parquet (<https://parquet.apache.org/docs/file-format/>). In: samples. Out: columns, compressed with Snappy.
//! Times are timestamps in nanoseconds, UTC. What has no value of its own is null.

use std::fs::File;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use super::wide::{self, Rows, Wide};
use super::{Columns, Table, TableError};
use crate::scene::{Scene, ValueKind};
use crate::value::{Origin, Reason, Sample, Timestamp, Value};

/// Rows of a long table in one group.
const LONG_GROUP: usize = 128 * 1024;
/// Cells of a wide table in one group.
const WIDE_CELLS: usize = 2 << 20;

/// One column of a row group while it grows.
enum Buffer {
    Time(Vec<i64>),
    Text(Vec<ByteArray>),
    /// Values that are there, and for each row whether one is.
    Number(Vec<f64>, Vec<i16>),
    Bool(Vec<bool>, Vec<i16>),
    MaybeText(Vec<ByteArray>, Vec<i16>),
}

impl Buffer {
    fn of(kind: ValueKind) -> Self {
        match kind {
            ValueKind::Number => Self::Number(Vec::new(), Vec::new()),
            ValueKind::Bool => Self::Bool(Vec::new(), Vec::new()),
            ValueKind::Text => Self::MaybeText(Vec::new(), Vec::new()),
        }
    }

    /// A value of another kind than the column's counts as none.
    fn push(&mut self, value: Option<&Value>) {
        match (self, value) {
            (Self::Number(values, there), Some(Value::Number(x))) if x.is_finite() => add(values, there, Some(*x)),
            (Self::Number(values, there), _) => add(values, there, None),
            (Self::Bool(values, there), Some(Value::Bool(b))) => add(values, there, Some(*b)),
            (Self::Bool(values, there), _) => add(values, there, None),
            (Self::MaybeText(values, there), Some(Value::Text(text))) => add(values, there, Some(bytes(text))),
            (Self::MaybeText(values, there), _) => add(values, there, None),
            (Self::Time(_) | Self::Text(_), _) => {}
        }
    }

    fn field(&self, name: &str) -> Result<TypePtr, TableError> {
        let (physical, logical, repetition) = match self {
            Self::Time(_) => {
                (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS)), Repetition::REQUIRED)
            }
            Self::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String), Repetition::REQUIRED),
            Self::Number(..) => (Physical::DOUBLE, None, Repetition::OPTIONAL),
            Self::Bool(..) => (Physical::BOOLEAN, None, Repetition::OPTIONAL),
            Self::MaybeText(..) => (Physical::BYTE_ARRAY, Some(LogicalType::String), Repetition::OPTIONAL),
        };
        let field = Type::primitive_type_builder(name, physical).with_logical_type(logical).with_repetition(repetition);
        Ok(Arc::new(field.build()?))
    }

    /// Writes the column as the next of the group, and empties it.
    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, File>) -> Result<(), TableError> {
        let Some(mut column) = group.next_column()? else { return Err("the table has fewer columns".into()) };
        match (&mut *self, column.untyped()) {
            (Self::Time(values), ColumnWriter::Int64ColumnWriter(_)) => {
                column.typed::<Int64Type>().write_batch(values, None, None)?;
                values.clear();
            }
            (Self::Text(values), ColumnWriter::ByteArrayColumnWriter(_)) => {
                column.typed::<ByteArrayType>().write_batch(values, None, None)?;
                values.clear();
            }
            (Self::Number(values, there), ColumnWriter::DoubleColumnWriter(_)) => {
                column.typed::<DoubleType>().write_batch(values, Some(there), None)?;
                values.clear();
                there.clear();
            }
            (Self::Bool(values, there), ColumnWriter::BoolColumnWriter(_)) => {
                column.typed::<BoolType>().write_batch(values, Some(there), None)?;
                values.clear();
                there.clear();
            }
            (Self::MaybeText(values, there), ColumnWriter::ByteArrayColumnWriter(_)) => {
                column.typed::<ByteArrayType>().write_batch(values, Some(there), None)?;
                values.clear();
                there.clear();
            }
            _ => return Err("a column has another type than its values".into()),
        }
        Ok(column.close()?)
    }
}

fn add<T>(values: &mut Vec<T>, there: &mut Vec<i16>, value: Option<T>) {
    there.push(i16::from(value.is_some()));
    values.extend(value);
}

fn bytes(text: &str) -> ByteArray {
    ByteArray::from(text.as_bytes().to_vec())
}

/// A file with its columns.
struct Out {
    writer: SerializedFileWriter<File>,
    columns: Vec<Buffer>,
    rows: usize,
}

impl Out {
    /// `said` goes into the file's own key-value pairs.
    fn new(file: File, columns: Vec<(String, Buffer)>, said: Vec<KeyValue>) -> Result<Self, TableError> {
        let fields = columns.iter().map(|(name, column)| column.field(name)).collect::<Result<Vec<_>, _>>()?;
        let schema = Arc::new(Type::group_type_builder("samples").with_fields(fields).build()?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("pollux ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata((!said.is_empty()).then_some(said))
            .build();
        let writer = SerializedFileWriter::new(file, schema, Arc::new(properties))?;
        Ok(Self { writer, columns: columns.into_iter().map(|(_, column)| column).collect(), rows: 0 })
    }

    fn end_row(&mut self, most: usize) -> Result<(), TableError> {
        self.rows += 1;
        if self.rows >= most { self.end_group() } else { Ok(()) }
    }

    fn end_group(&mut self) -> Result<(), TableError> {
        if std::mem::take(&mut self.rows) > 0 {
            let mut group = self.writer.next_row_group()?;
            for column in &mut self.columns {
                column.write(&mut group)?;
            }
            group.close()?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), TableError> {
        self.end_group()?;
        self.writer.close()?;
        Ok(())
    }
}

/// One row for each sample. A value stands in the column of its kind.
pub(super) struct Long {
    out: Out,
    scene: Arc<Scene>,
    count: u64,
}

impl Long {
    pub fn new(file: File, scene: Arc<Scene>, columns: Columns) -> Result<Self, TableError> {
        let text = || Buffer::Text(Vec::new());
        let origin = columns.origin.then(|| ("origin", text()));
        let columns = [
            ("time", Buffer::Time(Vec::new())),
            ("receive_time", Buffer::Time(Vec::new())),
            ("twin", text()),
            ("signal", text()),
            ("number", Buffer::of(ValueKind::Number)),
            ("boolean", Buffer::of(ValueKind::Bool)),
            ("text", Buffer::of(ValueKind::Text)),
            ("unit", text()),
            ("quality", text()),
            ("reason", text()),
        ];
        let columns = columns.into_iter().chain(origin).map(|(name, column)| (name.to_owned(), column)).collect();
        Ok(Self { out: Out::new(file, columns, Vec::new())?, scene, count: 0 })
    }
}

impl Table for Long {
    fn sample(&mut self, sample: &Sample) -> Result<(), TableError> {
        let Some(signal) = self.scene.signals.get(sample.signal.at()) else { return Ok(()) };
        let Some(twin) = self.scene.twins.get(signal.twin.at()) else { return Ok(()) };
        let reason = if sample.quality.reason == Reason::None { "" } else { sample.quality.reason.text() };
        let grade = format!("{:?}", sample.quality.grade).to_lowercase();
        let mut times = [sample.source_time, sample.receive_time].into_iter();
        let texts = [twin.id.as_str(), &signal.name, signal.unit.symbol(), &grade, reason, sample.origin.name()];
        let mut texts = texts.into_iter();
        for column in &mut self.out.columns {
            match column {
                Buffer::Time(values) => values.extend(times.next().map(|time| time.0)),
                Buffer::Text(values) => values.extend(texts.next().map(bytes)),
                column => column.push(sample.quality.has_value().then_some(&sample.value)),
            }
        }
        self.count += 1;
        self.out.end_row(LONG_GROUP)
    }

    fn finish(self: Box<Self>) -> Result<u64, TableError> {
        self.out.finish()?;
        Ok(self.count)
    }
}

/// One row for each moment, one column for each chosen signal: `P-101.flow`, whose unit stands in the file's key-value pairs
/// as `unit:P-101.flow`.
pub(super) fn wide(file: File, scene: &Scene, chosen: &[bool], columns: Columns) -> Result<Wide<WideRows>, TableError> {
    let origin = columns.origin.then(|| ("origin".to_owned(), Buffer::Text(Vec::new())));
    let columns = wide::columns(scene, chosen);
    let units = columns.iter().filter(|column| !column.unit.is_empty());
    let units = units.map(|column| KeyValue::new(format!("unit:{}", column.path), column.unit.clone())).collect();
    let most = (WIDE_CELLS / (columns.len() + 1)).max(1);
    let signals = columns.into_iter().map(|column| (column.path, Buffer::of(column.kind)));
    let all = std::iter::once(("time".to_owned(), Buffer::Time(Vec::new()))).chain(signals).chain(origin).collect();
    Ok(Wide::new(WideRows { out: Out::new(file, all, units)?, most }, chosen))
}

pub(super) struct WideRows {
    out: Out,
    /// Rows in one group.
    most: usize,
}

impl Rows for WideRows {
    fn row(&mut self, time: Timestamp, cells: &mut [Option<Value>], origin: Origin) -> Result<(), TableError> {
        let mut cells = cells.iter();
        for column in &mut self.out.columns {
            match column {
                Buffer::Time(values) => values.push(time.0),
                Buffer::Text(values) => values.push(bytes(origin.name())),
                column => column.push(cells.next().and_then(Option::as_ref)),
            }
        }
        self.out.end_row(self.most)
    }

    fn finish(self) -> Result<(), TableError> {
        self.out.finish()
    }
}
